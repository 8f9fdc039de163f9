import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { constants } from 'node:os';
import type { Process } from '@kata-mock/contracts';
import { Code, TtrpcError } from 'ttrpc-ts';

/** A "container's" process: runs on this machine, its output kept until someone reads it. */
export class FakeProcess {
  readonly exited: Promise<number>;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly #child: ChildProcess;

  constructor({ Args, Env, Cwd }: Process) {
    const env = Object.fromEntries(Env.map((text) => text.split(/=(.*)/s).slice(0, 2)));
    // A group of its own stands in for the pid namespace, which ends with its first process.
    const child = spawn(Args[0] ?? '', Args.slice(1), {
      env,
      cwd: Cwd,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    child.stdin.on('error', () => {});
    this.stdout = new Output(child.stdout);
    this.stderr = new Output(child.stderr);
    this.exited = once(child, 'exit').then(([code, signal]) => {
      this.#killGroup();
      return signal === null ? Number(code) : 128 + constants.signals[signal as NodeJS.Signals];
    });
    this.#child = child;
  }

  write(data: Uint8Array): void {
    this.#child.stdin?.write(data);
  }

  closeStdin(): void {
    this.#child.stdin?.end();
  }

  signal(number: number): void {
    this.#child.kill(number);
  }

  #killGroup(): void {
    try {
      process.kill(-(this.#child.pid ?? 0), 'SIGKILL');
    } catch {
      // Nobody is left in it.
    }
  }
}

class Output {
  readonly #changed = new EventEmitter();
  #kept = Buffer.alloc(0);
  #ended = false;

  constructor(stream: NodeJS.ReadableStream) {
    stream.on('data', (chunk: Buffer) => {
      this.#kept = Buffer.concat([this.#kept, chunk]);
      this.#changed.emit('change');
    });
    stream.on('close', () => {
      this.#ended = true;
      this.#changed.emit('change');
    });
  }

  /** At most `length` bytes as they come; at the end the error the real agent answers with. */
  async read(length: number): Promise<Uint8Array> {
    while (this.#kept.byteLength === 0) {
      if (this.#ended) throw new TtrpcError(Code.INTERNAL, 'read meet eof');
      await once(this.#changed, 'change');
    }
    const part = this.#kept.subarray(0, length);
    this.#kept = this.#kept.subarray(part.byteLength);
    return part;
  }
}
