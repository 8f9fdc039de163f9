import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import net from 'node:net';
import { unixListen } from '@kata-mock/posix';
import { KataMockError } from '../../errors.ts';
import type { BoundedLog } from '../process/bounded-log.ts';
import { diesWithParent } from '../process/pdeathsig.ts';
import type { ProcessEnd } from '../share/share.ts';
import { Qmp } from './qmp.ts';

export interface QemuOptions {
  /** The hook's wrapper: QEMU is never started any other way. */
  wrapper: string;
  args: string[];
  /** Working directory: the sandbox's bundle. */
  cwd: string;
  env: NodeJS.ProcessEnv;
  qmpSocket: string;
  /** More descriptors for QEMU, from 4 up. */
  fds: number[];
  log: BoundedLog;
}

export interface Qemu {
  pid: number;
  ended: Promise<ProcessEnd>;
  /** Resolves when QEMU greets; rejects when it ends before, with what it said. */
  greeted: Promise<Qmp>;
  kill(): void;
}

/** QEMU's descriptor of the QMP listener, Kata's number. */
export const qmpFd = 3;

const stderrGraceMs = 200;

export function startQemu(options: QemuOptions): Qemu {
  const listener = unixListen(options.qmpSocket);
  // As the shim does: dial before QEMU runs. The connection waits in the backlog, and breaks when QEMU ends early.
  const early = net.connect(options.qmpSocket);
  early.on('error', () => {});
  let child: ChildProcess;
  try {
    const { command, args } = diesWithParent(options.wrapper, options.args);
    child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env,
      stdio: ['ignore', 'ignore', 'pipe', listener, ...options.fds],
      // Its own session: Ctrl-C at the terminal is for us to handle.
      detached: true,
    });
  } finally {
    closeSync(listener);
  }
  child.stderr?.on('data', (chunk: Buffer) => options.log.write(chunk));
  const ended = new Promise<ProcessEnd>((resolve) => {
    // `close` comes once the last of stderr has been read; a process that wrongly holds it open must not hold us.
    child.once('close', (code, signal) => resolve({ code, signal }));
    child.once('exit', (code, signal) => setTimeout(() => resolve({ code, signal }), stderrGraceMs).unref());
    child.once('error', (error) => {
      options.log.write(Buffer.from(`${error.message}\n`));
      resolve({ code: null, signal: null });
    });
  });
  return {
    pid: child.pid ?? 0,
    ended,
    greeted: greeting(early, ended, options.log),
    kill: () => child.kill('SIGKILL'),
  };
}

async function greeting(early: net.Socket, ended: Promise<ProcessEnd>, log: BoundedLog): Promise<Qmp> {
  const failed = ended.then((end): never => {
    const said = log.tail(20);
    const how = end.signal ? `was killed by ${end.signal}` : `ended with exit code ${end.code}`;
    throw new KataMockError('VM', `the VM did not start: QEMU or its wrapper ${how}`, {
      hint: said.length > 0 ? said.join('\n') : 'it printed nothing',
    });
  });
  failed.catch(() => {});
  const opened = Qmp.open(early);
  try {
    return await Promise.race([opened, failed]);
  } catch (error) {
    // The connection breaks a moment before the exit is reported; the exit tells more.
    await failed;
    throw error;
  }
}
