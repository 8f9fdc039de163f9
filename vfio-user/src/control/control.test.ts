import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../testing.ts';
import { controlCall } from './client.ts';
import { type ControlServer, serveControl } from './server.ts';

let directory: ReturnType<typeof temporaryDirectory>;
let place: string;
let close: () => unknown = () => {};

beforeEach(() => {
  directory = temporaryDirectory();
  place = path.join(directory.path, 'control');
});
afterEach(async () => {
  await close();
  directory.remove();
});

describe('the server', () => {
  let server: ControlServer;
  const serve = async (table: Parameters<typeof serveControl>[1]) => {
    server = await serveControl(place, table);
    close = () => server.close();
  };

  test('carries requests out and answers them in the order they came, though one takes longer', async () => {
    const order: string[] = [];
    await serve({
      slow: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        order.push('slow');
        return 1;
      },
      fast: () => order.push('fast'),
      fails: () => {
        throw new Error('no');
      },
    });
    const socket = net.connect(place);
    const lines = ['slow', 'fails', 'fast'].map((method) => `${JSON.stringify({ method })}\n`).join('');
    // The end of what is asked does not end the answers.
    socket.end(lines);
    let text = '';
    for await (const chunk of socket) text += chunk;
    const answers = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(answers).toEqual([{ result: 1 }, { error: { code: 'INVALID_OPTION', message: 'no' } }, { result: 2 }]);
    expect(order).toEqual(['slow', 'fast']);
  });

  test('reads no further while nobody takes its answers', async () => {
    let asked = 0;
    await serve({ long: () => 'x'.repeat(1 << 20) + asked++ });
    const socket = net.connect(place);
    socket.pause();
    const REQUESTS = 40;
    socket.write(`${JSON.stringify({ method: 'long' })}\n`.repeat(REQUESTS));
    await expect.poll(() => asked).toBe(1);
    let length = 0;
    socket.on('data', (chunk) => {
      length += chunk.length;
    });
    socket.resume();
    await expect.poll(() => asked).toBe(REQUESTS);
    await expect.poll(() => length).toBeGreaterThan(REQUESTS << 20);
    socket.destroy();
  });
});

describe('a call', () => {
  const listen = async (answer: (socket: net.Socket) => void) => {
    const server = net.createServer((socket) => answer(socket.on('error', () => {})));
    server.listen(place);
    await once(server, 'listening');
    close = () => server.close();
  };

  test('ends in time although bytes keep coming', async () => {
    await listen((socket) => {
      const timer = setInterval(() => socket.write('x'), 5);
      socket.on('close', () => clearInterval(timer));
    });
    await expect(controlCall(place, 'list', {}, 100)).rejects.toMatchObject({
      code: 'DISCONNECTED',
      message: `control socket ${place}: no answer in 100 ms`,
    });
  });

  test('ends when the answer is too long', async () => {
    await listen((socket) => socket.write('x'.repeat((1 << 24) + 1)));
    await expect(controlCall(place, 'list')).rejects.toThrow('the answer is longer than 16777216 characters');
  });

  test('says so when the answer is no JSON', async () => {
    await listen((socket) => socket.write('hello\n'));
    await expect(controlCall(place, 'list')).rejects.toMatchObject({ code: 'PROTOCOL' });
  });
});
