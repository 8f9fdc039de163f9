import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { FdDuplex, openPty, setWinsize } from '@kata-mock/posix';

/** A program with a terminal of its own, as a person at a keyboard has. */
export class Terminal {
  output = '';
  readonly ended: Promise<number | null>;
  readonly #stream: FdDuplex;
  #wake: (() => void)[] = [];

  constructor(
    file: string,
    args: string[],
    options: { env?: NodeJS.ProcessEnv; rows?: number; columns?: number } = {},
  ) {
    const { master, slavePath } = openPty();
    setWinsize(master, options.rows ?? 24, options.columns ?? 80);
    const slave = openSync(slavePath, 'r+');
    // setsid gives the program the terminal as its controlling one, so that a new size signals it.
    const child = spawn('setsid', ['--ctty', '--wait', file, ...args], {
      env: options.env,
      stdio: [slave, slave, slave],
    });
    closeSync(slave);
    this.#stream = new FdDuplex(master);
    this.#stream.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
      for (const wake of this.#wake.splice(0)) wake();
    });
    this.#stream.on('error', () => {});
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code) => {
        for (const wake of this.#wake.splice(0)) wake();
        resolve(code);
      });
    });
  }

  type(text: string): void {
    this.#stream.write(text);
  }

  resize(rows: number, columns: number): void {
    setWinsize(this.#stream.fd, rows, columns);
  }

  /** Waits until the screen has shown `text`. */
  async shows(text: string, timeoutMs = 60_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!this.output.includes(text)) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`the terminal never showed ${JSON.stringify(text)}, but:\n${this.output}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  close(): void {
    this.#stream.destroy();
  }
}
