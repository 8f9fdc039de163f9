import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Health } from '@kata-mock/contracts';
import { connect, createClient } from 'ttrpc-ts';

export interface StartFigures {
  /** From spawn to the first answered Check, ms. */
  readonly readyMs: number;
  /** Resident memory after the start, and after the calls, kB. */
  readonly rssKb: number;
  readonly rssAfterKb: number;
  /** Check calls a second, one after the other, over a unix socket. */
  readonly callsPerSecond: number;
}

// As the programs in bin/ do it: to read certificates would take Node longer than the rest of its start.
delete process.env['NODE_EXTRA_CA_CERTS'];
const CALLS = 5_000;

/** The bundled agent as a process of this machine. */
export async function measureStart(bundle: string): Promise<StartFigures> {
  const base = mkdtempSync(path.join(tmpdir(), 'agent-bench-'));
  const socket = path.join(base, 'a.sock');
  const began = performance.now();
  const child = spawn(
    process.execPath,
    [bundle, '--listen', `unix://${socket}`, '--base', base, '--no-init', '--log', 'error'],
    { stdio: 'ignore' },
  );
  try {
    while (!existsSync(socket)) await new Promise((resolve) => setTimeout(resolve, 2));
    const connection = await connect(`unix://${socket}`);
    const health = createClient(Health, connection);
    await health.check({});
    const readyMs = performance.now() - began;
    const rssKb = residentKb(child);
    const calls = performance.now();
    for (let call = 0; call < CALLS; call++) await health.check({});
    const callsPerSecond = CALLS / ((performance.now() - calls) / 1000);
    const rssAfterKb = residentKb(child);
    connection.close();
    return { readyMs, rssKb, rssAfterKb, callsPerSecond };
  } finally {
    child.kill('SIGTERM');
    await once(child, 'exit');
    rmSync(base, { recursive: true, force: true });
  }
}

function residentKb(child: ChildProcess): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]);
}
