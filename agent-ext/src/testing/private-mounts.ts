import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Kit } from './private-mounts.program.ts';

/** A process with the agent's storages in a mount namespace of its own, for tests of what the kernel does with them. */
export class PrivateMounts {
  readonly #child: ChildProcess;

  /** Only root may mount. */
  static readonly isPossible = process.getuid?.() === 0;

  static async start(): Promise<PrivateMounts> {
    const program = fileURLToPath(new URL('./private-mounts.program.ts', import.meta.url));
    const node = [process.execPath, '--import', 'tsx', '--conditions=@kata-mock/source', program];
    const child = spawn('unshare', ['--mount', '--propagation', 'private', ...node], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const mounts = new PrivateMounts(child);
    await mounts.#answer();
    return mounts;
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Runs a function there, by its text: it knows nothing but the kit and plain values given with it. */
  async do<Result, Values>(work: (kit: Kit, values: Values) => Result, values?: Values): Promise<Awaited<Result>> {
    this.#child.send(`(kit) => (${work})(kit, ${JSON.stringify(values)})`);
    return this.#answer();
  }

  /** Nothing of it is left: the namespace goes with its last process. */
  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }

  async #answer<Result>(): Promise<Awaited<Result>> {
    const stop = new AbortController();
    try {
      const [answer] = await Promise.race([
        once(this.#child, 'message', { signal: stop.signal }),
        once(this.#child, 'exit', { signal: stop.signal }).then(() => [{ error: 'the process has ended' }]),
      ]);
      const { result, error } = answer as { result: Awaited<Result>; error?: string };
      if (error !== undefined) throw new Error(error);
      return result;
    } finally {
      stop.abort();
    }
  }
}
