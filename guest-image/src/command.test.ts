import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { findProgram, run } from './command.ts';

describe('run', () => {
  it('gives what the program prints, and passes arguments without a shell', async () => {
    const { stdout } = await run('printf', ['%s', '$HOME; `id`']);
    expect(stdout).toBe('$HOME; `id`');
  });

  it('feeds stdin and adds to the environment', async () => {
    const { stdout } = await run('sh', ['-c', 'cat; echo "$EXTRA"'], { input: 'fed ', env: { EXTRA: 'added' } });
    expect(stdout).toBe('fed added\n');
  });

  it('writes stdout to a file when asked', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'km-command-'));
    const stdoutFile = path.join(folder, 'out');
    expect(await run('echo', ['text'], { stdoutFile })).toMatchObject({ stdout: '' });
    expect(await readFile(stdoutFile, 'utf8')).toBe('text\n');
    await rm(folder, { recursive: true });
  });

  it('fails with the command and the end of its stderr', async () => {
    const failing = run('sh', ['-c', 'echo the reason >&2; exit 3']);
    await expect(failing).rejects.toMatchObject({ code: 'COMMAND_FAILED', message: expect.stringContaining('exit 3') });
    await expect(failing).rejects.toThrow('the reason');
  });

  it('tells a killed program from a failed one', async () => {
    await expect(run('sh', ['-c', 'kill -KILL $$'])).rejects.toThrow('SIGKILL');
  });

  it('does not mind a program that leaves its stdin unread', async () => {
    await expect(run('true', [], { input: 'x'.repeat(1_000_000) })).resolves.toMatchObject({ stdout: '' });
  });

  it('says how to mend a program that is not there', async () => {
    await expect(run('no-such-program', [], { hint: 'install it' })).rejects.toMatchObject({
      code: 'MISSING_PROGRAM',
      message: expect.stringContaining('install it'),
    });
  });
});

describe('findProgram', () => {
  it('looks at the path', () => {
    expect(findProgram('sh', '/bin')).toBe('/bin/sh');
  });

  it('finds nothing for an unknown name', () => {
    expect(findProgram('no-such-program')).toBeUndefined();
  });
});
