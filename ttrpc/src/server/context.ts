import { Metadata } from '../metadata.ts';

/** Who is at the other end of a unix socket, as the kernel says. */
export interface PeerCredentials {
  pid: number;
  uid: number;
  gid: number;
}

/** What a handler knows of the call it serves. */
export interface HandlerContext {
  /** Full name of the service, e.g. `grpc.AgentService`. */
  readonly service: string;
  /** Name of the method in the proto file, e.g. `CreateContainer`. */
  readonly method: string;
  /** Metadata of the request; empty when it had none. */
  readonly metadata: Metadata;
  /** When the caller stops waiting, on the clock of `performance.now()`, which nobody can set; undefined for never. */
  readonly deadline: number | undefined;
  /** Milliseconds the caller still waits: what to give calls made on its behalf. */
  readonly remainingMs: number | undefined;
  /** Aborts at the deadline and when the connection goes. The protocol cannot say that a caller has given up. */
  readonly signal: AbortSignal;
  /** Credentials of the caller, on unix sockets where @kata-mock/posix is installed. */
  readonly peer: PeerCredentials | undefined;
}

/** The context of one call. Its signal is made when first asked for: most handlers never do. */
export class CallContext implements HandlerContext {
  readonly service: string;
  readonly method: string;
  readonly deadline: number | undefined;
  readonly peer: PeerCredentials | undefined;
  #metadata: Metadata | undefined;
  #controller: AbortController | undefined;
  #reason: { error: unknown } | undefined;

  constructor(
    service: string,
    method: string,
    metadata: Metadata | undefined,
    deadline: number | undefined,
    peer: PeerCredentials | undefined,
  ) {
    this.service = service;
    this.method = method;
    this.#metadata = metadata;
    this.deadline = deadline;
    this.peer = peer;
  }

  get metadata(): Metadata {
    this.#metadata ??= new Metadata();
    return this.#metadata;
  }

  get remainingMs(): number | undefined {
    return this.deadline === undefined ? undefined : Math.max(0, this.deadline - performance.now());
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason.error);
    }
    return this.#controller.signal;
  }

  abort(error: unknown): void {
    this.#reason ??= { error };
    this.#controller?.abort(error);
  }
}
