import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Client } from '../client/client.ts';
import { Reg } from '../mock-accel/gen/registers.ts';
import { createMockAccel } from '../mock-accel/mock-accel.ts';
import book from '../mock-accel/registers.json' with { type: 'json' };
import type { RegisterBook } from '../register-book/book.ts';
import { DeviceServer } from '../server/device-server.ts';
import { temporaryDirectory } from '../testing.ts';
import { LoopbackChannel } from '../transport/loopback.ts';
import { startTrace, stopTrace } from './control.ts';
import { toDissector } from './dissector.ts';

const lua = fileURLToPath(new URL('../../wireshark/vfio-user.lua', import.meta.url));
const hasTshark = spawnSync('tshark', ['--version']).status === 0;

test('the dissector in the tree is the generated one', () => {
  expect(readFileSync(lua, 'utf8')).toBe(toDissector(book as RegisterBook, 'vfio-user/src/mock-accel/registers.json'));
});

test(`tshark shows registers by name${hasTshark ? '' : ' (skipped: no tshark on this machine)'}`, {
  timeout: 30_000,
}, (context) => {
  if (!hasTshark) return context.skip('tshark is not installed (Debian package tshark)');
  const directory = temporaryDirectory();
  const file = path.join(directory.path, 's.pcapng');
  const server = new DeviceServer(createMockAccel());
  startTrace(server, { file });
  const client = Client.open(new LoopbackChannel(server));
  client.write32(0, Reg.STATUS, 0xabcd);
  client.read32(0, Reg.PASSPHRASE_STATUS);
  client.close();
  stopTrace(server);
  const fields = ['command', 'reply', 'register', 'data', 'timers'].flatMap((name) => ['-e', `vfio_user.${name}`]);
  const output = execFileSync(
    'tshark',
    ['-X', `lua_script:${lua}`, '-r', file, '-T', 'fields', '-E', 'separator=;', ...fields],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  directory.remove();
  const rows = output
    .trim()
    .split('\n')
    .map((row) => row.split(';'));
  expect(rows).toHaveLength(6);
  expect(rows[2]!.slice(2)).toEqual(['STATUS', 'cdab0000', '0']);
  expect(rows[4]![2]).toBe('PASSPHRASE_STATUS');
  expect(rows.map(([command]) => command)).toEqual(['1', '1', '10', '10', '9', '9']);
});
