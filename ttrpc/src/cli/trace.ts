import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Registry } from '@bufbuild/protobuf';
import { FrameDecoder } from '../protocol/frame-decoder.ts';
import { parseAddress } from '../transport/address.ts';
import { open } from '../transport/connect.ts';
import { listen } from '../transport/listen.ts';
import { type DescriptorSources, loadDescriptors } from './descriptors.ts';
import { FrameText } from './frame-text.ts';
import type { Io } from './io.ts';

/** `ttrpc trace`: passes each connection on byte for byte, right or wrong, and prints the frames that go by. */
export async function trace(from: string, to: string, flags: DescriptorSources, io: Io): Promise<void> {
  const registry = loadDescriptors(flags);
  const target = parseAddress(to);
  let count = 0;
  const duplexes = new Set<Duplex>();
  const keep = (duplex: Duplex) => {
    duplexes.add(duplex);
    duplex.on('close', () => duplexes.delete(duplex));
  };
  const listener = await listen(from, {
    needsPeer: false,
    accept: (client) => {
      const name = `#${++count}`;
      // Nothing is read before there is somewhere to send it.
      client.pause();
      client.on('error', () => {});
      keep(client);
      open(target, { signal: io.stop }).then(
        (server) => {
          keep(server);
          server.on('error', () => {});
          io.out(`${name} connected\n`);
          join(name, client, server, registry, io);
        },
        (error: Error) => {
          io.err(`ttrpc: ${name}: ${error.message}\n`);
          client.destroy();
        },
      );
    },
  });
  io.err(`ttrpc: tracing ${listener.address} to ${to}\n`);
  if (!io.stop.aborted) await once(io.stop, 'abort');
  await listener.close();
  for (const duplex of duplexes) duplex.destroy();
}

function join(name: string, client: Duplex, server: Duplex, registry: Registry, io: Io): void {
  const began = performance.now();
  const text = new FrameText(registry);
  const say = (arrow: string, words: string) => {
    const seconds = ((performance.now() - began) / 1000).toFixed(6);
    io.out(`${name} ${seconds} ${arrow} ${words}\n`);
  };
  pass(client, server, (words) => say('->', words), text, true);
  pass(server, client, (words) => say('<-', words), text, false);
  client.on('close', () => {
    io.out(`${name} closed\n`);
    server.destroy();
  });
  server.on('close', () => client.destroy());
}

function pass(from: Duplex, to: Duplex, say: (words: string) => void, text: FrameText, fromClient: boolean): void {
  const decoder = new FrameDecoder({
    frame: (id, type, flags, body) => say(text.describe(id, type, flags, body, fromClient)),
    oversize: (id, type, _flags, length) => say(`stream ${id} type ${type} ${length} bytes, over the limit`),
  });
  from.on('data', (chunk: Uint8Array) => {
    decoder.push(chunk);
    if (!to.write(chunk)) {
      from.pause();
      to.once('drain', () => from.resume());
    }
  });
  from.on('end', () => {
    if (!decoder.atBoundary) say('ends within a frame');
    to.end();
  });
  from.resume();
}
