import { type ChildProcess, spawn } from 'node:child_process';

export interface Finished {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** From start to end. */
  ms: number;
}

export interface StartOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Written to stdin, which is then closed; without it stdin is empty. */
  input?: string | undefined;
  /** Leaves stdin open for {@link Running.write}. */
  keepStdin?: boolean;
}

/** A program of ours while it runs: its output as it comes, its end when it comes. */
export class Running {
  stdout = '';
  stderr = '';
  readonly ended: Promise<Finished>;
  readonly #child: ChildProcess;
  #wake: (() => void)[] = [];
  #finished: Finished | undefined;

  constructor(file: string, args: string[], options: StartOptions = {}) {
    const started = performance.now();
    const { env, cwd, input, keepStdin } = options;
    // A group of its own, so that a signal to it is a signal to it alone.
    this.#child = spawn(file, args, { env, cwd, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stdin!.on('error', () => {});
    if (!keepStdin) this.#child.stdin!.end(input ?? '');
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => this.#heard(() => (this.stdout += text)));
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => this.#heard(() => (this.stderr += text)));
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject);
      this.#child.on('close', (status, signal) => {
        const ms = performance.now() - started;
        this.#finished = { status, signal, stdout: this.stdout, stderr: this.stderr, ms };
        this.#heard(() => {});
        resolve(this.#finished);
      });
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get running(): boolean {
    return this.#finished === undefined;
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.#child.kill(signal);
  }

  write(text: string): void {
    this.#child.stdin!.write(text);
  }

  /** Reads no more of its output, as head(1) does once it has enough. */
  closeOutput(): void {
    this.#child.stdout!.destroy();
  }

  endInput(): void {
    this.#child.stdin!.end();
  }

  /** Waits until `seen` holds; an error with all output when the program ends first or the time is over. */
  async until(what: string, seen: () => boolean, timeoutMs = 120_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!seen()) {
      if (this.#finished) throw new Error(`ended (${this.#finished.status}) before ${what}\n${this.#output()}`);
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`no ${what} within ${timeoutMs} ms\n${this.#output()}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  #output(): string {
    return `--- stdout\n${this.stdout}\n--- stderr\n${this.stderr}`;
  }

  #heard(note: () => void): void {
    note();
    for (const wake of this.#wake.splice(0)) wake();
  }
}
