import type { Framer } from '../protocol/index.ts';

/** What {@link Channel.fill} found. */
export type FillResult =
  /** The framer has new bytes. */
  | 'data'
  /** Nothing came in time, or someone woke the channel. */
  | 'idle'
  /** The peer is gone. */
  | 'closed';

/** The server's way to one client, as {@link Session} needs it: a socket, or its socket-free twin. */
export interface Channel {
  /** Sends all of `bytes[0 .. length)`; descriptors ride on the first byte. Throws DISCONNECTED when that fails. */
  send(bytes: Uint8Array, length: number, fds: readonly number[]): void;
  /** The same without descriptors, perhaps only together with the next {@link fill} or {@link flush}; `bytes` stay as they are until then. */
  sendLater(bytes: Uint8Array, length: number): void;
  /** Sends what {@link sendLater} has kept back. */
  flush(): void;
  /** Waits at most `timeoutMs` (Infinity: for ever) for bytes and puts them in `framer`. */
  fill(framer: Framer, timeoutMs: number): FillResult;
  /** Offers a second channel for the server's own commands: ours, and the descriptor to send to the client. */
  openTwin?(): { channel: Channel; remoteFd: number };
  close(): void;
}
