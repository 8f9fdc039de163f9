import { bind, check } from './libc.ts';

const O_CLOEXEC = 0o2000000;

const pipeFunction = bind('pipe2', ['pointer', 'int']);

/** A pipe. Node's own child pipes are sockets, which a program cannot open again through /dev/stdout. */
export function pipe(): { read: number; write: number } {
  const pair = Buffer.alloc(8);
  check('pipe2', pipeFunction, [pair, O_CLOEXEC], []);
  return { read: pair.readInt32LE(0), write: pair.readInt32LE(4) };
}
