import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type LinuxResources, type Process, type Spec, stringifySpec } from '@kata-mock/oci-spec';
import { AgentError } from '../errors.ts';
import type { Reaper } from '../init/reaper.ts';
import { runProgram } from '../run-program.ts';
import { ContainerProcess } from '../sandbox/container-process.ts';
import { logged } from './log-file.ts';
import { prepareStdio } from './stdio.ts';

export interface RuncOptions {
  readonly program: string;
  /** runc's own state. */
  readonly root: string;
  /** Where bundles are, one directory a container. */
  readonly bundles: string;
}

/** The OCI runtime of the guest as child processes. One method per command; errors carry what runc logged. */
export class Runc {
  readonly #reaper: Reaper;
  readonly #options: RuncOptions;

  constructor(reaper: Reaper, options: RuncOptions) {
    this.#reaper = reaper;
    this.#options = options;
    mkdirSync(options.root, { recursive: true, mode: 0o700 });
    mkdirSync(options.bundles, { recursive: true, mode: 0o700 });
  }

  bundle(id: string): string {
    return path.join(this.#options.bundles, id);
  }

  /** Makes the container; its process waits for `start`. On failure nothing is left. */
  async create(id: string, spec: Spec): Promise<ContainerProcess> {
    const bundle = this.bundle(id);
    mkdirSync(bundle, { recursive: true, mode: 0o700 });
    try {
      writeFileSync(path.join(bundle, 'config.json'), stringifySpec(spec), { mode: 0o600 });
      return await this.#spawnProcess(id, id, ['create', '--bundle', bundle], spec.process?.terminal ?? false, [id]);
    } catch (error) {
      await this.delete(id).catch(() => {});
      this.removeBundle(id);
      throw error;
    }
  }

  async start(id: string): Promise<void> {
    await this.#run(id, ['start', id]);
  }

  /** Starts one more process in a running container. */
  async exec(id: string, execId: string, process: Process): Promise<ContainerProcess> {
    const file = path.join(this.bundle(id), `exec-${execId}.json`);
    writeFileSync(file, stringifySpec(process as never), { mode: 0o600 });
    try {
      const args = ['exec', '--detach', '--process', file];
      return await this.#spawnProcess(id, execId, args, process.terminal ?? false, [id]);
    } finally {
      rmSync(file, { force: true });
    }
  }

  /** Kills what is left and forgets the container; one that does not exist is fine. */
  async delete(id: string): Promise<void> {
    await this.#run(id, ['delete', '--force', id]);
  }

  async update(id: string, resources: LinuxResources): Promise<void> {
    await this.#run(id, ['update', '--resources', '-', id], stringifySpec(resources as never));
  }

  async pause(id: string): Promise<void> {
    await this.#run(id, ['pause', id]);
  }

  async resume(id: string): Promise<void> {
    await this.#run(id, ['resume', id]);
  }

  removeBundle(id: string): void {
    rmSync(this.bundle(id), { recursive: true, force: true });
  }

  async #spawnProcess(
    id: string,
    processId: string,
    args: string[],
    terminal: boolean,
    last: string[],
  ): Promise<ContainerProcess> {
    const pidFile = path.join(this.bundle(id), `${processId}.pid`);
    const stdio = prepareStdio(this.bundle(id), terminal);
    try {
      const all = [...args, '--pid-file', pidFile, ...stdio.args, ...last];
      await this.#run(id, all, undefined, stdio.descriptors);
      const pid = readPid(pidFile);
      const io = stdio.connect();
      return new ContainerProcess(processId, pid, io, this.#reaper.waitFor(pid));
    } finally {
      stdio.release();
      rmSync(pidFile, { force: true });
    }
  }

  async #run(id: string, args: string[], input?: string, stdio?: readonly [number, number, number]): Promise<void> {
    await logged(path.join(this.#options.bundles, `.${id}.log`), async (logArgs) => {
      const all = ['--root', this.#options.root, ...logArgs, ...args];
      const { code, signal } = await runProgram(this.#reaper, this.#options.program, all, {
        ...(input === undefined ? {} : { input }),
        ...(stdio ? { stdio } : {}),
      });
      return code === 0 ? undefined : `runc ${args[0]} of ${id} failed (${signal ?? `exit ${code}`})`;
    });
  }
}

function readPid(file: string): number {
  const pid = Number(readFileSync(file, 'utf8'));
  if (!Number.isInteger(pid) || pid <= 0) throw new AgentError('INTERNAL', `runc wrote no pid to ${file}`);
  return pid;
}
