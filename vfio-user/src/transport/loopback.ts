import { closeSync } from 'node:fs';
import { dup } from '@kata-mock/posix';
import type { Framer } from '../protocol/index.ts';
import type { DeviceServer } from '../server/device-server.ts';
import type { Session } from '../server/session.ts';
import type { Channel, FillResult } from './channel.ts';
import { MemoryChannel } from './memory-channel.ts';

/**
 * A client's channel to a server in the same thread, without a socket: what is sent is handled at once. The server waits
 * for DMA replies by running the client's part, `whileServerWaits`.
 */
export class LoopbackChannel implements Channel {
  readonly session: Session;
  whileServerWaits: () => void = () => {};
  readonly #server: DeviceServer;
  #serverWaits = false;
  readonly #memory = new MemoryChannel(() => {
    this.#serverWaits = true;
    this.whileServerWaits();
    this.#serverWaits = false;
  });

  constructor(server: DeviceServer) {
    this.#server = server;
    this.session = server.connect(this.#memory);
  }

  /** True while the server sent something the client has not taken. */
  get hasSent(): boolean {
    return this.#memory.sent.length > 0;
  }

  send(bytes: Uint8Array, length: number, fds: readonly number[] = []): void {
    this.#memory.push(
      bytes.slice(0, length),
      fds.map((fd) => dup(fd)),
    );
    // What the client sends while the server waits is taken by the server's wait.
    if (!this.#serverWaits) this.#step();
  }

  sendLater(bytes: Uint8Array, length: number): void {
    this.send(bytes, length);
  }

  flush(): void {}

  fill(framer: Framer): FillResult {
    this.#server.runTimers();
    const chunk = this.#memory.sent.shift();
    if (!chunk) return this.session.state === 'closed' ? 'closed' : 'idle';
    const count = framer.push(chunk.bytes, chunk.fds, (fd) => closeSync(fd));
    if (count < chunk.bytes.length) this.#memory.sent.unshift({ bytes: chunk.bytes.subarray(count), fds: [] });
    return 'data';
  }

  close(): void {
    this.#memory.takeSent();
    this.#server.disconnect();
  }

  #step(): void {
    while (this.#memory.hasIncoming && this.session.step(0));
  }
}
