import type { AddressMap } from '@kata-mock/devices';
import { AgentError } from '../errors.ts';
import type { ContainerProcess } from './container-process.ts';
import { Execs } from './execs.ts';

/**
 * `created`: its first process waits for the start. `running`. `stopped`: that process has ended; the record stays for
 * WaitProcess until the container is removed. `removing`: nothing may be done with it any more; its end may be watched.
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
  readonly execs = new Execs();
  #state: ContainerState = 'created';
  #removal: Promise<void> | undefined;

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

  get isRemoving(): boolean {
    return this.#state === 'removing';
  }

  get init(): ContainerProcess {
    return this.parts.init;
  }

  started(): void {
    if (this.#state === 'created') this.#state = 'running';
  }

  /** Removes it by these steps, once: whoever asks meanwhile waits for the same removal. */
  remove(steps: () => Promise<void>): Promise<void> {
    this.#state = 'removing';
    this.#removal ??= steps();
    return this.#removal;
  }

  /** @param execId empty, or the container's own id, for the first process */
  process(execId: string): ContainerProcess {
    if (execId === '' || execId === this.id) return this.init;
    const process = this.execs.get(execId);
    if (process) return process;
    throw new AgentError('NOT_FOUND', `no process ${JSON.stringify(execId)} in container ${this.id}`);
  }

  /** Closes every descriptor the agent has of its processes. */
  closeIo(): void {
    this.init.io.close();
    this.execs.close();
  }
}
