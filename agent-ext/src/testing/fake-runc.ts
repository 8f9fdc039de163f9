import { closeSync, writeSync } from 'node:fs';
import { FdDuplex, pipe } from '@kata-mock/posix';
import type { Runc } from '../runc/runc.ts';
import { ContainerProcess, type ExitStatus } from '../sandbox/container-process.ts';
import { type Deferred, deferred } from '../sandbox/deferred.ts';
import { ProcessIo } from '../sandbox/process-io.ts';

/** A process nobody runs: its pipes are real, and the test says what it writes and when it ends. */
export class FakeProcess {
  readonly process: ContainerProcess;
  readonly #exit = deferred<ExitStatus>();
  readonly #out: { stdout: number; stderr: number };

  constructor(id: string) {
    const [stdin, stdout, stderr] = [pipe(), pipe(), pipe()];
    closeSync(stdin.read);
    this.#out = { stdout: stdout.write, stderr: stderr.write };
    const [input, output, errors] = [stdin.write, stdout.read, stderr.read].map((fd) => new FdDuplex(fd)) as [
      FdDuplex,
      FdDuplex,
      FdDuplex,
    ];
    const io = new ProcessIo({ stdin: input, stdout: output, stderr: errors });
    // No process has this number, so a signal to it harms nobody.
    this.process = new ContainerProcess(id, 2 ** 22 + 1, io, this.#exit.promise);
  }

  says(text: string): void {
    writeSync(this.#out.stdout, text);
  }

  /** Closes its outputs and ends, after what it says. */
  end(status: ExitStatus, says = ''): void {
    if (this.process.status !== undefined) return;
    this.says(says);
    closeSync(this.#out.stdout);
    closeSync(this.#out.stderr);
    this.#exit.resolve(status);
  }
}

/** A runc without containers. Each command can be held back, as a slow one would be. */
export class FakeRunc {
  /** By container id, and `container/exec`. */
  readonly processes = new Map<string, FakeProcess>();
  /** Commands in the order they began: `create c1`. */
  readonly commands: string[] = [];
  fails = false;
  readonly #gates = new Map<string, { gate: Deferred<void>; entered: Deferred<void> }>();

  /** For the agent's parts. */
  get runc(): Runc {
    return this as unknown as Runc;
  }

  get containers(): string[] {
    return [...this.processes.keys()].filter((id) => !id.includes('/'));
  }

  /** From now on commands of this kind wait until they are let go. */
  hold(kind: 'create' | 'exec' | 'delete'): { entered: Promise<void>; letGo: () => void } {
    const [gate, entered] = [deferred<void>(), deferred<void>()];
    this.#gates.set(kind, { gate, entered });
    const letGo = () => {
      this.#gates.delete(kind);
      gate.resolve();
    };
    return { entered: entered.promise, letGo };
  }

  bundle(id: string): string {
    return `/bundles/${id}`;
  }

  removeBundle(): void {}

  async create(id: string): Promise<ContainerProcess> {
    await this.#command('create', id);
    return this.#made(id, id);
  }

  async start(id: string): Promise<void> {
    await this.#command('start', id);
  }

  async exec(id: string, execId: string): Promise<ContainerProcess> {
    await this.#command('exec', execId);
    return this.#made(`${id}/${execId}`, execId);
  }

  async delete(id: string): Promise<void> {
    await this.#command('delete', id);
    for (const [name, process] of this.processes) {
      if (name !== id && !name.startsWith(`${id}/`)) continue;
      process.end(137);
      this.processes.delete(name);
    }
  }

  #made(name: string, id: string): ContainerProcess {
    const fake = new FakeProcess(id);
    this.processes.set(name, fake);
    return fake.process;
  }

  async #command(kind: string, id: string): Promise<void> {
    this.commands.push(`${kind} ${id}`);
    const held = this.#gates.get(kind);
    held?.entered.resolve();
    await held?.gate.promise;
    if (this.fails) throw new Error(`runc ${kind} failed`);
  }
}
