import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Client } from '../client/client.ts';
import { Reg } from '../mock-accel/gen/registers.ts';
import { temporaryDirectory } from '../testing.ts';
import { readPcapng } from '../trace/pcapng.ts';
import { killServers, startServer } from './program.testing.ts';

const LIMIT = 60_000;
let directory: ReturnType<typeof temporaryDirectory>;

beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => {
  killServers();
  directory.remove();
});

const file = (name: string) => path.join(directory.path, name);

function start(...args: string[]) {
  const child = startServer<ChildProcessWithoutNullStreams>(args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (chunk: string) => (output[stream] += chunk));
  const ended = once(child, 'close').then(([status]) => ({ status: status as number, ...output }));
  return { child, output, ended };
}

const run = (...args: string[]) => start(...args).ended;
const listening = (socket: string) =>
  expect.poll(() => existsSync(socket), { timeout: 30_000, interval: 50 }).toBe(true);

test(
  'a wrong call exits 2 with a message, help exits 0 with an example',
  async () => {
    const calls: [string[], RegExp][] = [
      [[], /missing required argument/],
      [['--colour', 's'], /unknown option '--colour'/],
      [['-m', 'big', 's'], /"big"/],
      [['--total-vfs', '8', 's'], /0\.\.7/],
      [['-u', 'x'.repeat(17), 's'], /17 characters/],
      [['ctl', 's', 'explode'], /"explode"; there are list/],
    ];
    const results = await Promise.all(calls.map(([args]) => run(...args)));
    results.forEach(({ status, stdout, stderr }, index) => {
      expect([status, stdout], calls[index]![0].join(' ')).toEqual([2, '']);
      expect(stderr).toMatch(calls[index]![1]);
    });
    const { status, stdout } = await run('--help');
    expect(status).toBe(0);
    expect(stdout).toMatch(/Example:\n {2}mock-accel-server -v -u/);
  },
  LIMIT,
);

test(
  'it ends quietly when the reader of its output has seen enough',
  async () => {
    const { child, output } = start('--help');
    const ended = once(child, 'close');
    child.stdout.destroy();
    expect(await ended).toEqual([null, 'SIGTERM']);
    expect(output.stderr).toBe('');
  },
  LIMIT,
);

test(
  'it serves one client with the defaults of the original, exits 0 and removes its socket',
  async () => {
    const socket = file('d.sock');
    const { ended } = start(socket);
    await listening(socket);
    const client = Client.connect(socket, { timeoutMs: 30_000 });
    expect(Buffer.from(client.regionRead(0, Reg.UUID, 16)).toString()).toBe('MOCK-0000-0001\0\0');
    expect(client.read32(0, Reg.MEMORY_SIZE + 4)).toBe(4);
    expect(client.read32(0, Reg.SRIOV_TOTAL_VFS)).toBe(4);
    client.close();
    expect(await ended).toMatchObject({ status: 0, stderr: '' });
    expect(existsSync(socket)).toBe(false);
  },
  LIMIT,
);

test.each([
  ['says how many virtual functions there are', { totalVfs: 2 }],
  ['is a virtual function', { vf: true }],
])(
  'a profile that %s is reloaded when it changes',
  async (_, shape) => {
    const [socket, profile] = [file('d.sock'), file('p.json')];
    const store = (options: object) => {
      // Replaced as editors do, so that nobody sees half a file.
      writeFileSync(`${profile}.new`, JSON.stringify({ version: 1, profiles: { sku: { ...shape, ...options } } }));
      renameSync(`${profile}.new`, profile);
    };
    store({});
    const { child, output, ended } = start('-v', '--profile', profile, socket);
    await listening(socket);
    const client = Client.connect(socket, { timeoutMs: 30_000 });
    store({ status: 0x77 });
    await expect.poll(() => output.stderr, { timeout: 30_000, interval: 20 }).toMatch(/profile (not )?reloaded/);
    expect(client.read32(0, Reg.STATUS)).toBe(0x77);
    client.close();
    child.kill('SIGTERM');
    expect((await ended).status).toBe(0);
  },
  LIMIT,
);

test(
  'a trace has the last message of a client that leaves at once',
  async () => {
    const [socket, trace] = [file('d.sock'), file('t.pcapng')];
    const { ended } = start('--trace', trace, socket);
    await listening(socket);
    const client = Client.connect(socket, { timeoutMs: 30_000 });
    for (let count = 0; count < 100; count++) client.read32(0, Reg.DEVICE_ID);
    client.read32(0, Reg.STATUS);
    client.close();
    expect((await ended).status).toBe(0);
    const messages = readPcapng(readFileSync(trace)).records.map(({ message }) => Buffer.from(message));
    expect(messages.at(-1)!.readUInt32LE(16)).toBe(Reg.STATUS);
  },
  LIMIT,
);

test(
  'SIGTERM ends it and removes the socket, twice as well as once',
  async () => {
    const socket = file('d.sock');
    const { child, ended } = start('--vf', '-m', '1G', socket);
    await listening(socket);
    child.kill('SIGTERM');
    child.kill('SIGTERM');
    expect((await ended).status).toBe(0);
    expect(existsSync(socket)).toBe(false);
  },
  LIMIT,
);

test('ctl sets faults, records, shows registers; decode and replay read the recording', async () => {
  const [socket, control, trace] = [file('d.sock'), file('c.sock'), file('t.pcapng')];
  writeFileSync(file('faults.json'), JSON.stringify([{ id: 'a', when: { nth: 1000 }, fault: { kind: 'ones' } }]));
  const { ended } = start(
    '--relisten',
    '--control',
    control,
    '--faults',
    file('faults.json'),
    '--trace',
    trace,
    socket,
  );
  await listening(control);
  const client = Client.connect(socket, { timeoutMs: 30_000 });
  client.write32(0, Reg.STATUS, 0x4242);
  const registers = await run('ctl', control, 'registers');
  expect(registers.stdout).toMatch(/0x02c {2}STATUS +0x00004242/);
  const rule = JSON.stringify({ id: 'b', when: { region: 0, offset: Reg.STATUS }, fault: { kind: 'ones' } });
  expect(await run('ctl', control, 'fault-set', rule)).toMatchObject({ status: 0 });
  const noRule = await run('ctl', control, 'fault-set', '{ones}');
  expect(noRule).toMatchObject({ status: 2, stdout: '' });
  expect(noRule.stderr).toMatch(/fault-set "\{ones\}": .*; give a rule as JSON/);
  expect(client.read32(0, Reg.STATUS)).toBe(0xffffffff);
  const list = JSON.parse((await run('ctl', '--output', 'json', control, 'fault-list')).stdout) as {
    id: string;
    struck: number;
  }[];
  expect(list.map(({ id, struck }) => [id, struck])).toEqual([
    ['a', 0],
    ['b', 1],
  ]);
  expect(await run('ctl', control, 'fault-clear', 'nope')).toMatchObject({ status: 2 });
  expect(await run('ctl', control, 'aer', 'nonfatal')).toMatchObject({ status: 0 });
  expect(await run('ctl', control, 'aer', '{"correctable":1,"uncorrectable":1}')).toMatchObject({ status: 2 });
  const events = JSON.parse((await run('ctl', '-o', 'json', control, 'fault-events')).stdout) as object[];
  expect(events).toMatchObject([{ id: 'd0', fault: { kind: 'aer', uncorrectable: 0x4000 } }]);
  const remove = await run('ctl', '--qmp', file('no.sock'), control, 'remove');
  expect(remove).toMatchObject({ status: 2, stdout: '' });
  expect(remove.stderr).toMatch(/4 MSI-X vectors, and QEMU .* aborts/);
  expect((await run('ctl', control, 'trace-stop')).stdout).toMatch(/messages: 6/);
  client.close();
  await run('ctl', control, 'stop');
  expect((await ended).status).toBe(0);

  expect((await run('decode', trace)).stdout).toMatch(/REGION_WRITE .*register=STATUS .*0x00004242/);
  const lines = (await run('decode', '--format', 'jsonl', trace)).stdout.trim().split('\n');
  expect(JSON.parse(lines[2]!)).toMatchObject({
    from: 'client',
    command: 'REGION_WRITE',
    payload: { register: 'STATUS' },
  });
  // The recording has the fault's answer, a healthy device another one.
  const replayed = await run('replay', trace);
  expect(replayed.status).toBe(1);
  expect(replayed.stderr).toMatch(/3 commands, 1 answers differ/);
}, 120_000);
