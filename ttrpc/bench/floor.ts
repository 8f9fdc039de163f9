/**
 * The floor: a length-prefixed echo with nothing on top. Bare, it answers each message with a write of its own, as
 * the obvious program does; batched, all answers to one read leave in one system call, the fastest Node can do.
 */
import net from 'node:net';

const PREFIX = 4;

/** Cuts messages (prefix included) out of a stream. */
class Messages {
  #chunks: Buffer[] = [];
  #length = 0;

  *push(chunk: Buffer): Generator<Buffer> {
    let bytes = chunk;
    if (this.#length > 0) {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      if (this.#length < PREFIX || this.#length < PREFIX + this.#wanted()) return;
      bytes = Buffer.concat(this.#chunks, this.#length);
    }
    let at = 0;
    while (bytes.length - at >= PREFIX) {
      const end = at + PREFIX + bytes.readUInt32BE(at);
      if (end > bytes.length) break;
      yield bytes.subarray(at, end);
      at = end;
    }
    this.#length = bytes.length - at;
    this.#chunks = this.#length > 0 ? [bytes.subarray(at)] : [];
  }

  #wanted(): number {
    const first = this.#chunks[0]!;
    if (first.length >= PREFIX) return first.readUInt32BE(0);
    this.#chunks = [Buffer.concat(this.#chunks, this.#length)];
    return this.#chunks[0]!.readUInt32BE(0);
  }
}

/** Lets the writes of a turn leave together. */
function corking(socket: net.Socket, batched: boolean, work: () => void): void {
  if (batched) socket.cork();
  work();
  if (batched) socket.uncork();
}

export function serveFloor(path: string, batched: boolean): net.Server {
  const server = net.createServer((socket) => {
    const messages = new Messages();
    socket.on('data', (chunk: Buffer) => {
      corking(socket, batched, () => {
        for (const message of messages.push(chunk)) socket.write(message);
      });
    });
    socket.on('error', () => {});
  });
  server.listen(path);
  return server;
}

export interface FloorClient {
  /** Sends `count` messages of `length` bytes, `inFlight` at a time; returns what each took, in ns, when asked. */
  run(count: number, length: number, inFlight: number, latencies?: Float64Array): Promise<void>;
  close(): void;
}

export async function connectFloor(path: string, batched: boolean): Promise<FloorClient> {
  const socket = net.connect(path);
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  let received: () => void = () => {};
  const messages = new Messages();
  socket.on('data', (chunk: Buffer) => {
    corking(socket, batched, () => {
      for (const _ of messages.push(chunk)) received();
    });
  });
  return {
    run: (count, length, inFlight, latencies) =>
      new Promise((resolve) => {
        const message = Buffer.alloc(PREFIX + length, 1);
        message.writeUInt32BE(length);
        let sent = 0;
        let done = 0;
        let began = 0;
        const send = () => {
          sent++;
          began = performance.now();
          socket.write(message);
        };
        received = () => {
          if (latencies !== undefined) latencies[done] = (performance.now() - began) * 1e6;
          done++;
          if (sent < count) send();
          if (done === count) resolve();
        };
        corking(socket, batched, () => {
          for (let i = 0; i < Math.min(inFlight, count); i++) send();
        });
      }),
    close: () => void socket.destroy(),
  };
}
