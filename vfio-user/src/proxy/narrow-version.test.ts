import { closeSync } from 'node:fs';
import { eventfd, POLLIN, poll, recvmsg, sendmsg, socketpair } from '@kata-mock/posix';
import { expect, test } from 'vitest';
import { Command, encodeMessage, encodeSetIrqs, encodeVersion, HEADER_BYTES } from '../protocol/index.ts';
import { openDescriptors } from '../testing.ts';
import { narrowVersion } from './narrow-version.ts';
import { MessageProxy } from './proxy.ts';

const payload = (text: string) => Buffer.concat([Buffer.from([0, 0, 2, 0]), Buffer.from(text)]);

test.each([
  ['more descriptors than the proxy takes', '{"max_msg_fds":16}\0', '{"max_msg_fds": 8}\0'],
  ['more data', '{"max_data_xfer_size" : 4194304}\0', '{"max_data_xfer_size" : 1048576}\0'],
  [
    'both, with exponents',
    '{"max_msg_fds":1e3,"max_data_xfer_size":1e60}\0',
    '{"max_msg_fds":  8,"max_data_xfer_size": 1e6}\0',
  ],
  [
    'as much as it takes',
    '{"max_msg_fds":8,"max_data_xfer_size":1048576}\0',
    '{"max_msg_fds":8,"max_data_xfer_size":1048576}\0',
  ],
  ['other keys', '{"é":[16],"pgsizes":18446744073709547520}\0', '{"é":[16],"pgsizes":18446744073709547520}\0'],
  ['no text', '', ''],
])('%s', (_, before, after) => {
  const bytes = payload(before);
  narrowVersion(bytes);
  expect(bytes.toString()).toBe(payload(after).toString());
});

test('a payload too short for VERSION is left as it is', () => {
  const bytes = Buffer.from([1, 2]);
  narrowVersion(bytes);
  expect(bytes).toEqual(Buffer.from([1, 2]));
});

test('client and server that could do more agree on what the proxy passes on', async () => {
  const before = openDescriptors();
  const [client, front] = socketpair();
  const [back, server] = socketpair();
  const proxy = new MessageProxy(front, back);
  const running = proxy.run();
  const received = async (fd: number) => {
    while (poll([{ fd, events: POLLIN }], 0)[0] === 0) await new Promise((resolve) => setImmediate(resolve));
    const buffer = new Uint8Array(1 << 16);
    const { bytes, fds } = recvmsg(fd, buffer, { maxFds: 16 });
    return { bytes: Buffer.from(buffer.subarray(0, bytes)), fds };
  };
  const capabilities = { max_msg_fds: 16, max_data_xfer_size: 4 << 20 };
  const hello = encodeVersion({ major: 0, minor: 0, capabilities });
  const [greeting, answer] = [0, 1].map((flags) =>
    encodeMessage({ id: 0, command: Command.VERSION, flags, errno: 0 }, hello),
  );
  const narrowed = { capabilities: { max_msg_fds: 8, max_data_xfer_size: 1 << 20 } };
  const textOf = ({ bytes }: { bytes: Buffer }) =>
    JSON.parse(bytes.toString('utf8', HEADER_BYTES + 4, bytes.length - 1));
  sendmsg(client, greeting!);
  expect(textOf(await received(server))).toEqual(narrowed);
  sendmsg(server, answer!);
  const reply = await received(client);
  expect(textOf(reply)).toEqual(narrowed);
  expect(reply.bytes).toHaveLength(answer!.length);

  const events = Array.from({ length: 8 }, () => eventfd());
  const set = encodeSetIrqs({ index: 2, start: 0, count: 8, data: 'eventfd', action: 'trigger' });
  sendmsg(client, encodeMessage({ id: 1, command: Command.DEVICE_SET_IRQS, flags: 0, errno: 0 }, set), { fds: events });
  const { fds } = await received(server);
  expect(fds).toHaveLength(8);
  proxy.stop();
  await running;
  for (const fd of [client, server, ...events, ...fds]) closeSync(fd);
  expect(openDescriptors()).toEqual(before);
});
