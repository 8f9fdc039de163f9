import { closeSync, openSync, readlinkSync, writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { closeAll, POLLIN, PollSet } from './descriptors.ts';
import { recvmsg, sendmsg } from './message.ts';
import { IDLE, messageExchange } from './message-exchange.ts';
import { SHUT_WR, shutdown, socketpair } from './socket.ts';
import { codeOf, openDescriptors } from './testing.ts';

let open: number[] = [];
const pair = () => {
  const fds = socketpair();
  open.push(...fds);
  return fds;
};
const files = (count: number) => {
  const fds = Array.from({ length: count }, () => openSync('/dev/zero', 'r'));
  open.push(...fds);
  return fds;
};
const exchangeOn = (fd: number, options: { room?: number; maxFds?: number; idleMs?: number } = {}) => {
  const receive = Buffer.alloc(options.room ?? 64);
  const send = Buffer.alloc(64);
  const { maxFds = 0, idleMs = 10 } = options;
  return { receive, send, ...{ exchange: messageExchange(fd, { receive, send, maxFds, idleMs }) } };
};

afterEach(() => {
  closeAll(open);
  open = [];
});

describe('an exchange of messages', () => {
  it('sends the answer and receives the next message', () => {
    const [a, b] = pair();
    const { receive, send, exchange } = exchangeOn(b);
    writeSync(a, 'question');
    expect(exchange.exchange(0, 0, 64)).toBe(8);
    expect(receive.toString('utf8', 0, 8)).toBe('question');
    send.write('answer');
    writeSync(a, 'next');
    expect(exchange.exchange(6, 8, 56)).toBe(4);
    expect(receive.toString('utf8', 0, 12)).toBe('questionnext');
    const answer = Buffer.alloc(16);
    expect(recvmsg(a, answer).bytes).toBe(6);
    expect(answer.toString('utf8', 0, 6)).toBe('answer');
  });

  it('gives the other side so long to take an answer, however it trickles', async () => {
    const [a, b] = pair();
    const send = Buffer.alloc(1 << 20);
    const exchange = messageExchange(b, { receive: Buffer.alloc(64), send, idleMs: 10, sendMs: 150 });
    const reader = new Worker(
      `const { readSync } = require('node:fs');
       const { workerData, parentPort } = require('node:worker_threads');
       setInterval(() => parentPort.postMessage(readSync(workerData, Buffer.alloc(1 << 16))), 40);`,
      { eval: true, workerData: a, trackUnmanagedFds: false },
    );
    try {
      writeSync(b, 'x');
      await new Promise((resolve) => reader.once('message', resolve));
      expect(codeOf(() => exchange.exchange(send.length, 0, 64))).toBe('EAGAIN');
    } finally {
      await reader.terminate();
    }
  });

  it('answers IDLE when nothing comes, again and again, and then receives', () => {
    const [a, b] = pair();
    const { exchange } = exchangeOn(b, { idleMs: 5 });
    for (let round = 0; round < 3; round++) {
      const start = performance.now();
      expect(exchange.exchange(0, 0, 64)).toBe(IDLE);
      expect(performance.now() - start).toBeGreaterThan(4);
    }
    writeSync(a, 'x');
    expect(exchange.exchange(0, 0, 64)).toBe(1);
  });

  it('answers 0 at the end of the stream', () => {
    const [a, b] = pair();
    shutdown(a, SHUT_WR);
    expect(exchangeOn(b).exchange.exchange(0, 0, 64)).toBe(0);
  });

  it('throws what fails: an answer that nobody takes, a range outside the buffers', () => {
    const [a, b] = pair();
    const { exchange } = exchangeOn(b);
    expect(codeOf(() => exchange.exchange(0, 60, 5))).toBe('EINVAL');
    expect(codeOf(() => exchange.exchange(65, 0, 5))).toBe('EINVAL');
    expect(codeOf(() => exchange.exchange(0, -1, 5))).toBe('EINVAL');
    open = open.filter((fd) => fd !== a);
    closeSync(a);
    expect(codeOf(() => exchange.exchange(1, 0, 5))).toBe('EPIPE');
    expect(
      codeOf(() => messageExchange(b, { receive: Buffer.alloc(1), send: Buffer.alloc(1), maxFds: 254, idleMs: 1 })),
    ).toBe('EINVAL');
  });

  it('brings descriptors with the message they came with', () => {
    const [a, b] = pair();
    const { exchange } = exchangeOn(b, { maxFds: 8 });
    for (const count of [8, 0, 3]) {
      sendmsg(a, Buffer.from('x'), { fds: files(count) });
      expect(exchange.exchange(0, 0, 1)).toBe(1);
      expect(exchange.fds).toHaveLength(count);
      expect(exchange.truncated).toBe(false);
      open.push(...exchange.fds);
    }
    expect(new Set(open).size).toBe(open.length);
  });

  it('closes every descriptor when more came than there is room for, and leaks none', () => {
    const [a, b] = pair();
    const sent = files(9);
    const before = openDescriptors();
    for (const maxFds of [0, 1, 2, 8]) {
      const { exchange } = exchangeOn(b, { maxFds });
      sendmsg(a, Buffer.from('x'), { fds: sent });
      expect(exchange.exchange(0, 0, 1)).toBe(1);
      expect(exchange.fds).toEqual([]);
      expect(exchange.truncated).toBe(true);
    }
    expect(openDescriptors()).toEqual(before);
  });

  it('receives the same from a client that waits for each answer, whatever is taken out of the socket when', () => {
    const [a, b] = pair();
    const { receive, send, exchange } = exchangeOn(b, { room: 8192 });
    const answer = Buffer.alloc(64);
    writeSync(a, 'first');
    expect(exchange.exchange(0, 0, 8192)).toBe(5);
    for (let message = 0; message < 100; message++) {
      // Two writes are two pieces in the socket; more than is looked at at once takes two exchanges.
      const pieces = [Buffer.alloc(1 + message * 61, message), Buffer.from(`end ${message}`)];
      for (const piece of pieces) writeSync(a, piece);
      const expected = Buffer.concat(pieces);
      send.write(`answer ${message}`);
      let got = exchange.exchange(`answer ${message}`.length, 0, 8192);
      while (got < expected.length) got += exchange.exchange(0, got, 8192 - got);
      expect(receive.subarray(0, got).equals(expected)).toBe(true);
      expect(answer.toString('utf8', 0, recvmsg(a, answer).bytes)).toBe(`answer ${message}`);
      if (message % 7 === 0) exchange.settle();
    }
    exchange.settle();
    expect(exchange.exchange(0, 0, 8192)).toBe(IDLE);
  });

  it('receives each message once although it sleeps with earlier ones still in the socket', () => {
    const [a, b] = pair();
    const { receive, send, exchange } = exchangeOn(b, { idleMs: 900 });
    const rounds = 40;
    // Another thread, as this one blocks: it writes the next message only once this one sleeps.
    const client = new Worker(
      `const { readFileSync, readSync, writeSync } = require('node:fs');
       const { fd, rounds, thread } = require('node:worker_threads').workerData;
       const asleep = () => readFileSync('/proc/' + thread + '/stat', 'latin1').split(') ').at(-1)[0] === 'S';
       for (let round = 0; round < rounds; round++) {
         while (!asleep());
         writeSync(fd, 'message ' + round);
         readSync(fd, Buffer.alloc(64));
       }`,
      { eval: true, workerData: { fd: a, rounds, thread: readlinkSync('/proc/thread-self') } },
    );
    const received: string[] = [];
    for (let round = 0; round < rounds; round++) {
      const count = exchange.exchange(round === 0 ? 0 : send.write('answer'), 0, 64);
      received.push(receive.toString('utf8', 0, count));
    }
    exchange.exchange(send.write('answer'), 0, 64);
    expect(received).toEqual(Array.from({ length: rounds }, (_, round) => `message ${round}`));
    return client.terminate();
  });

  it('leaves nothing in the socket once settled, which then is quiet and can be closed', () => {
    const [a, b] = pair();
    const { exchange } = exchangeOn(b);
    for (const length of [0, 6, 6]) {
      writeSync(a, 'question');
      expect(exchange.exchange(length, 0, 64)).toBe(8);
    }
    exchange.settle();
    expect(new PollSet([{ fd: b, events: POLLIN }]).wait(0)[0]).toBe(0);
    open = open.filter((fd) => fd !== b);
    closeSync(b);
    const answer = Buffer.alloc(64);
    expect(recvmsg(a, answer).bytes).toBe(12);
    // ECONNRESET if the question were still there.
    expect(recvmsg(a, answer).bytes).toBe(0);
  });

  it('holds a descriptor no longer than until the next exchange', () => {
    const [a, b] = pair();
    const { exchange } = exchangeOn(b, { maxFds: 1 });
    const [sent, witness] = pair();
    writeSync(a, 'x');
    exchange.exchange(0, 0, 1);
    sendmsg(a, Buffer.from('y'), { fds: [sent!] });
    expect(exchange.exchange(1, 0, 64)).toBe(1);
    closeAll([sent!, ...exchange.fds]);
    open = open.filter((fd) => fd !== sent);
    writeSync(a, 'z');
    expect(exchange.exchange(1, 0, 64)).toBe(1);
    // The end of its stream: nobody has the other end any more.
    expect(recvmsg(witness!, Buffer.alloc(1)).bytes).toBe(0);
  });
});
