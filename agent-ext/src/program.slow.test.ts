import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';

let base: string;
let child: ChildProcess | undefined;
beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), 'agent-'));
  writeFileSync(path.join(base, 'modprobe'), `#!/bin/sh\necho "$@" >>${base}/loaded\n`, { mode: 0o755 });
});
afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(base, { recursive: true });
});

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly err?: { readonly message: string };
}

/** Starts the agent as a service; returns what it logs up to a message, or all of it. */
async function start(args: string[], until?: string): Promise<{ lines: Line[]; code: number | null }> {
  const main = path.join(import.meta.dirname, 'main.ts');
  const node = ['--import', 'tsx', '--conditions=@kata-mock/source', main, '--base', path.join(base, 'state'), ...args];
  const env = { ...process.env, PATH: `${base}:${process.env['PATH']}` };
  const started = spawn(process.execPath, node, { stdio: ['ignore', 'inherit', 'pipe'], env });
  child = started;
  const exited = once(started, 'exit');
  const lines: Line[] = [];
  for await (const text of createInterface({ input: started.stderr })) {
    if (!text.startsWith('{')) continue;
    lines.push(JSON.parse(text) as Line);
    if (lines.at(-1)?.msg === until) started.kill('SIGTERM');
  }
  const [code] = (await exited) as [number | null];
  return { lines, code };
}

const LONG = 60_000;

test('an agent that cannot listen where it was told ends with the reason', { timeout: LONG }, async () => {
  const { lines, code } = await start(['--listen', 'unix:///nowhere/agent.sock', '--no-init']);
  expect(code).toBe(1);
  expect(lines.at(-1)).toMatchObject({
    level: 60,
    err: { message: expect.stringMatching(/^cannot listen on "unix:\/\/\/nowhere\/agent\.sock": /) },
  });
});

test.each([
  [[], true],
  [['--no-init'], false],
])('with %j it loads its drivers: %s', { timeout: LONG }, async (args, loads) => {
  const { code } = await start(['--listen', `unix://${base}/agent.sock`, ...args], 'devices ready');
  expect(code).toBe(0);
  expect(existsSync(path.join(base, 'loaded'))).toBe(loads);
});
