import { type Duplex, duplexPair } from 'node:stream';

/** Two ends of a connection in memory. When one goes the other does, as with sockets. */
export function connectedPair(): [Duplex, Duplex] {
  const [here, there] = duplexPair();
  here.on('close', () => there.destroy());
  there.on('close', () => here.destroy());
  return [here, there];
}

export async function collect<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const message of messages) all.push(message);
  return all;
}
