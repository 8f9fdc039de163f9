import { closeSync } from 'node:fs';
import { MSG_DONTWAIT, recvmsg, socketpair } from '@kata-mock/posix';
import { expect, test } from 'vitest';
import { ClientSockets } from './client-sockets.ts';

test('one thread ends the connections that another one has, and no others', () => {
  const pairs = [socketpair(), socketpair(), socketpair()] as const;
  const memory = ClientSockets.memory();
  const [thread, host] = [new ClientSockets(memory), new ClientSockets(memory)];
  host.shutdown();
  for (const [ours] of pairs.slice(0, 2)) thread.add(ours);
  thread.forget(pairs[0][0]);
  thread.add(pairs[2][0]);
  host.shutdown();
  // recvmsg answers 0 at the end of a connection.
  for (const [, theirs] of pairs.slice(1)) expect(recvmsg(theirs, Buffer.alloc(1)).bytes).toBe(0);
  expect(() => recvmsg(pairs[0][1], Buffer.alloc(1), { flags: MSG_DONTWAIT })).toThrow(/EAGAIN/);
  thread.forget(pairs[1][0]);
  expect(host.takeAll()).toEqual([pairs[2][0]]);
  expect(host.takeAll()).toEqual([]);
  for (const fd of pairs.flat()) closeSync(fd);
});
