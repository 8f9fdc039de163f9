import { type ChildProcess, spawn } from 'node:child_process';
import type { Worker } from 'node:worker_threads';
import {
  type ChildStatus,
  CLD_EXITED,
  P_PID,
  PosixError,
  startWorker,
  WEXITED,
  WNOHANG,
  WNOWAIT,
  waitid,
  workerUrl,
} from '@kata-mock/posix';
import { REAPER_STOP, type ReaperShared } from './reaper-protocol.ts';

/** Ends of processes nobody asked about yet: exec'ed ones may end before their pid is known. */
const MOST_UNCLAIMED = 1024;

/**
 * The one place that reaps. The kernel gives orphans to the agent (as PID 1 or as subreaper), among them every
 * container's first process. A worker looks for ended children; those that Node spawned are left to Node, the rest are
 * reaped here and handed to whoever waits for the pid.
 */
export class Reaper {
  readonly #turn = new Int32Array(new SharedArrayBuffer(4));
  #worker: Worker | undefined;
  /** Children of Node's own, by pid, until Node has reaped them. */
  readonly #spawned = new Map<number, ChildProcess>();
  readonly #waiting = new Map<number, (status: number) => void>();
  readonly #unclaimed = new Map<number, number>();
  /** The worker found no child at all; it looks again after the next spawn. */
  #childless = false;

  /** Registers a child of Node's child_process; every one must be, or it could be taken from Node. */
  track<Child extends ChildProcess>(child: Child): Child {
    if (child.pid === undefined) return child;
    const { pid } = child;
    this.#spawned.set(pid, child);
    // 'exit' comes after libuv has reaped it.
    child.once('exit', () => {
      this.#spawned.delete(pid);
      this.#lookAgain();
    });
    if (this.#childless) this.#lookAgain();
    return child;
  }

  /** Resolves with a shell-like status (code, or 128 + signal) when an adopted process has ended. */
  waitFor(pid: number): Promise<number> {
    this.#start();
    const known = this.#unclaimed.get(pid);
    this.#unclaimed.delete(pid);
    // While there is such a child, it is the one meant: what is remembered was another's, who had the number before. One
    // of Node's own is not meant.
    if (known !== undefined && (this.#spawned.has(pid) || !isChild(pid))) return Promise.resolve(known);
    return new Promise((resolve) => this.#waiting.set(pid, resolve));
  }

  /**
   * Ends the worker. It may sit in waitid, which only the end of a child wakes: so one is made, and again when Node
   * took that child's status before the worker saw it.
   */
  async stop(): Promise<void> {
    const worker = this.#worker;
    Atomics.store(this.#turn, 0, REAPER_STOP);
    if (!worker) return;
    Atomics.notify(this.#turn, 0);
    let running = true;
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve())).then(() => {
      running = false;
    });
    while (running) {
      const child = endOfAChild();
      await Promise.race([ended, new Promise((resolve) => child.once('exit', resolve).once('error', resolve))]);
    }
  }

  /**
   * Before the first container nothing is adopted, so the worker need not slow the agent's start. What has ended
   * meanwhile waits for it as a zombie.
   */
  #start(): void {
    if (this.#worker || Atomics.load(this.#turn, 0) === REAPER_STOP) return;
    const shared: ReaperShared = { turn: this.#turn.buffer as SharedArrayBuffer };
    this.#worker = startWorker(workerUrl(import.meta.url, 'reaper'), {
      workerData: shared,
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1, codeRangeSizeMb: 8 },
    });
    this.#worker.on('message', (pid: number | undefined) => this.#seen(pid));
    this.#worker.unref();
  }

  #seen(pid: number | undefined): void {
    if (pid === undefined) this.#childless = this.#spawned.size === 0;
    // A child of Node's: its 'exit' lets the worker look again.
    else if (this.#spawned.has(pid)) return;
    else this.#reap(pid);
    if (!this.#childless) this.#lookAgain();
  }

  #reap(pid: number): void {
    const status = takeStatus(pid);
    if (status === undefined) return;
    const waiting = this.#waiting.get(pid);
    this.#waiting.delete(pid);
    if (waiting) waiting(status);
    else this.#remember(pid, status);
  }

  #remember(pid: number, status: number): void {
    this.#unclaimed.delete(pid);
    this.#unclaimed.set(pid, status);
    const [oldest] = this.#unclaimed.keys();
    if (this.#unclaimed.size > MOST_UNCLAIMED && oldest !== undefined) this.#unclaimed.delete(oldest);
  }

  #lookAgain(): void {
    if (Atomics.load(this.#turn, 0) === REAPER_STOP) return;
    this.#childless = false;
    Atomics.add(this.#turn, 0, 1);
    Atomics.notify(this.#turn, 0);
  }
}

/** Whether there is a child of this number, running or ended and not reaped. */
function isChild(pid: number): boolean {
  try {
    waitid(P_PID, pid, WEXITED | WNOWAIT | WNOHANG);
    return true;
  } catch (error) {
    if (error instanceof PosixError && error.code === 'ECHILD') return false;
    throw error;
  }
}

function takeStatus(pid: number): number | undefined {
  try {
    const ended = waitid(P_PID, pid, WEXITED | WNOHANG);
    return ended && shellStatus(ended);
  } catch (error) {
    if (error instanceof PosixError && error.code === 'ECHILD') return undefined;
    throw error;
  }
}

function shellStatus({ code, status }: ChildStatus): number {
  return code === CLD_EXITED ? status : 128 + status;
}

/** Wakes a thread that waits for children. Needed before `process.exit` too, which waits for that thread. */
export function endOfAChild(): ChildProcess {
  return spawn('true', { stdio: 'ignore' }).on('error', () => {});
}
