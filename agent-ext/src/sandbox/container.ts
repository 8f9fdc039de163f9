import type { AddressMap } from '@kata-mock/devices';
import { AgentError } from '../errors.ts';
import type { ContainerProcess } from './container-process.ts';

/**
 * `created`: its first process waits for the start. `running`. `stopped`: that process has ended; the record stays for
 * WaitProcess until the container is removed. `removing`: no call may begin any more.
 */
export type ContainerState = 'created' | 'running' | 'stopped' | 'removing';

export interface ContainerParts {
  readonly id: string;
  readonly init: ContainerProcess;
  readonly bundle: string;
  /** Below /sys/fs/cgroup; undefined where it could not be read. */
  readonly cgroup: string | undefined;
  /** For the environment of later execs. */
  readonly addresses: AddressMap;
  /** Mount points this container holds a reference to. */
  readonly storages: readonly string[];
  readonly isPause: boolean;
  /** File of the guest that is mounted where the container writes its last message; undefined when it has none. */
  readonly terminationLog: string | undefined;
}

/** One container the agent runs. */
export class Container {
  readonly id: string;
  readonly parts: ContainerParts;
  readonly #execs = new Map<string, ContainerProcess>();
  #state: ContainerState = 'created';

  constructor(parts: ContainerParts) {
    this.id = parts.id;
    this.parts = parts;
    parts.init.wait().then(() => {
      if (this.#state !== 'removing') this.#state = 'stopped';
    });
  }

  get state(): ContainerState {
    return this.#state;
  }

  get init(): ContainerProcess {
    return this.parts.init;
  }

  started(): void {
    if (this.#state === 'created') this.#state = 'running';
  }

  removing(): void {
    this.#state = 'removing';
  }

  addExec(process: ContainerProcess): void {
    this.#execs.set(process.id, process);
  }

  /** Forgets an exec whose end somebody has been told. */
  deleteExec(id: string): void {
    this.#execs.get(id)?.io.close();
    this.#execs.delete(id);
  }

  hasExec(id: string): boolean {
    return id === this.id || this.#execs.has(id);
  }

  /** @param execId empty, or the container's own id, for the first process */
  process(execId: string): ContainerProcess {
    if (execId === '' || execId === this.id) return this.init;
    const process = this.#execs.get(execId);
    if (process) return process;
    throw new AgentError('NOT_FOUND', `no process ${JSON.stringify(execId)} in container ${this.id}`);
  }

  processes(): ContainerProcess[] {
    return [this.init, ...this.#execs.values()];
  }
}
