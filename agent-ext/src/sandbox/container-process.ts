import { deferred } from './deferred.ts';
import type { ProcessIo } from './process-io.ts';

/** How a process ended, as a shell would say it: its code, or 128 and the signal. */
export type ExitStatus = number;

/** The first process of a container or one that was exec'ed into it. */
export class ContainerProcess {
  /** Of the exec; the container's id for its first process. */
  readonly id: string;
  readonly io: ProcessIo;
  /** In the agent's pid namespace. */
  readonly pid: number;
  readonly #exit = deferred<ExitStatus>();
  readonly #told = deferred<void>();
  #status: ExitStatus | undefined;
  #isTold = false;

  constructor(id: string, pid: number, io: ProcessIo, exit: Promise<ExitStatus>) {
    this.id = id;
    this.pid = pid;
    this.io = io;
    exit.then((status) => {
      this.#status = status;
      this.#exit.resolve(status);
    });
  }

  /** Undefined while it runs. */
  get status(): ExitStatus | undefined {
    return this.#status;
  }

  /** Any number of callers may wait, also after the end. */
  wait(): Promise<ExitStatus> {
    return this.#exit.promise;
  }

  /** Somebody has learnt its status. */
  told(): void {
    this.#isTold = true;
    this.#told.resolve();
  }

  get isTold(): boolean {
    return this.#isTold;
  }

  /** Resolves when its status was told and its output read to the end, in whichever order. */
  async finished(): Promise<void> {
    await this.#told.promise;
    await this.io.drained;
  }
}
