import { closeSync, writeSync } from 'node:fs';
import { expect, it } from 'vitest';
import { recvmsg } from './message.ts';
import { IDLE, messageExchange } from './message-exchange.ts';
import { getrlimit, setrlimit } from './process.ts';
import { socketpair } from './socket.ts';

// A thread that has its timer keeps it, so no test may have made one here before.
it('an exchange does without the timer of its thread where the limit of queued signals forbids one', () => {
  const { soft, hard } = getrlimit('sigpending');
  const [a, b] = socketpair();
  setrlimit('sigpending', 0, hard);
  try {
    const send = Buffer.from('answer');
    const exchange = messageExchange(b, { receive: Buffer.alloc(64), send, idleMs: 10 });
    expect(exchange.constructor.name).toBe('TwoCalls');
    expect(exchange.exchange(0, 0, 64)).toBe(IDLE);
    writeSync(a, 'question');
    expect(exchange.exchange(0, 0, 64)).toBe(8);
    writeSync(a, 'next');
    expect(exchange.exchange(send.length, 0, 64)).toBe(4);
    expect(recvmsg(a, Buffer.alloc(16)).bytes).toBe(6);
  } finally {
    setrlimit('sigpending', soft, hard);
    closeSync(a);
    closeSync(b);
  }
});
