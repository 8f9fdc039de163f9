import { once } from 'node:events';
import { connect } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from 'vitest';
import type { FdDuplex } from './fd-duplex.ts';
import { FdListener } from './fd-listener.ts';
import { unixListen } from './socket.ts';
import { openDescriptors, temporaryDirectory } from './testing.ts';

const directory = temporaryDirectory();
afterAll(() => directory.remove());

describe('FdListener', () => {
  it('accepts connections from ordinary sockets and serves each', async () => {
    const socket = path.join(directory.path, 's');
    const listener = new FdListener(unixListen(socket));
    listener.on('connection', (stream: FdDuplex) => stream.pipe(stream));
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, index) => {
        const client = connect(socket);
        client.end(`client ${index}`);
        return text(client);
      }),
    );
    expect(replies).toEqual(Array.from({ length: 20 }, (_, index) => `client ${index}`));
    listener.close();
    listener.close();
  });

  it('leaves no descriptor behind', async () => {
    const before = openDescriptors();
    const socket = path.join(directory.path, 't');
    const listener = new FdListener(unixListen(socket));
    const accepted = once(listener, 'connection') as Promise<[FdDuplex]>;
    const client = connect(socket);
    const [stream] = await accepted;
    stream.destroy();
    client.destroy();
    await Promise.all([once(stream, 'close'), once(client, 'close')]);
    listener.close();
    expect(openDescriptors()).toEqual(before);
  });
});
