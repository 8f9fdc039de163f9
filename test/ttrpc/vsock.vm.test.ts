import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BareGuest } from '../support/bare-guest/bare-guest.ts';
import { root } from '../support/paths.ts';

const COMMAND = 'node /usr/lib/kata-mock/agent/ttrpc.js';
const ADDRESS = 'vsock://1:5000';

let guest: BareGuest;

// Hosts that run tests rarely have vsock; a guest's kernel can talk to itself over it (CID 1).
beforeAll(async () => {
  guest = await BareGuest.boot({ devices: [] });
  expect(await guest.do.run(['modprobe', '-a', 'vsock', 'vsock_loopback'])).toMatchObject({ status: 0 });
  await guest.do.write(
    '/tmp/echo.proto',
    readFileSync(path.join(root, 'ttrpc/proto/ttrpc/test/v1/echo.proto'), 'utf8'),
  );
  await shell(`${COMMAND} serve vsock://any:5000 </dev/null >/tmp/serve.log 2>&1 &`);
  // The server is a process of its own: it is there when a call goes through.
  await shell(`until ${call('Unary', '{"text":"up"}')} >/dev/null 2>&1; do :; done`);
}, 180_000);

afterAll(async () => await guest?.stop());

test('a unary call goes over vsock', async () => {
  expect(await shell(call('Unary', '{"text":"hello"}'))).toBe('{"text":"hello"}\n');
}, 60_000);

test('a stream of a server goes over vsock', async () => {
  expect(await shell(call('ServerStream', '{"text":"a b c"}'))).toBe('{"text":"a"}\n{"text":"b"}\n{"text":"c"}\n');
}, 60_000);

test('a megabyte goes over vsock whole', async () => {
  const printed = await shell(`${call('Big', '{"text":"1048576"}')} | wc -c`);
  expect(Number(printed)).toBe('{"text":""}\n'.length + 1_048_576);
}, 60_000);

test('a port without a server is refused with the address', async () => {
  const { status, stderr } = await guest.do.run(['sh', '-c', call('Unary', '{}').replace('5000', '5001')]);
  expect(status).toBe(1);
  expect(stderr).toContain('vsock://1:5001');
}, 60_000);

function call(method: string, input: string): string {
  return `${COMMAND} call -p /tmp/echo.proto -t 20s ${ADDRESS} ttrpc.test.v1.Echo/${method} '${input}'`;
}

async function shell(script: string): Promise<string> {
  const { status, stdout, stderr } = await guest.do.run(['sh', '-c', script]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
}
