/** The world of the command, passed in so that tests need no process. */
export interface Io {
  stdin: AsyncIterable<string | Uint8Array>;
  out: (text: string) => void;
  err: (text: string) => void;
  /** Aborts on SIGINT and SIGTERM. */
  stop: AbortSignal;
}
