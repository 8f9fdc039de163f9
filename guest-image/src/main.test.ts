import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { main } from './main.ts';

afterEach(() => vi.restoreAllMocks());

function capture() {
  const text = { out: '', err: '' };
  const collect = (name: keyof typeof text) => (part: string | Uint8Array) => {
    text[name] += part;
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(collect('out'));
  vi.spyOn(process.stderr, 'write').mockImplementation(collect('err'));
  return text;
}

describe('setup.ts', () => {
  it('explains itself on stdout', async () => {
    const text = capture();
    expect(await main(['--help'])).toBe(0);
    expect(text.out).toContain('Example: npx tsx guest-image/setup.ts image');
  });

  it.each([
    ['an unknown target', ['frobnicate'], 'frobnicate'],
    ['two targets', ['qemu', 'kernel'], 'qemu kernel'],
    ['an unknown option', ['--frobnicate'], '--frobnicate'],
  ])('refuses %s with exit code 2, what was wrong and the usage', async (_what, argv, quoted) => {
    const text = capture();
    expect(await main(argv)).toBe(2);
    expect(text.err).toContain(quoted);
    expect(text.err).toContain('usage:');
  });

  it('cleans a build that is not there', async () => {
    const text = capture();
    const folder = await mkdtemp(path.join(os.tmpdir(), 'km-clean-'));
    expect(await main(['clean', '--build', path.join(folder, 'none')])).toBe(0);
    expect(text.out).toContain('removed');
    await rm(folder, { recursive: true });
  });
});
