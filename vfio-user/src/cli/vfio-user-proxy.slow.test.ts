import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Client } from '../client/client.ts';
import { type Host, startHost } from '../host/host.ts';
import { Reg } from '../mock-accel/gen/registers.ts';
import { temporaryDirectory } from '../testing.ts';

const tsx = fileURLToPath(new URL('../../../node_modules/tsx/dist/cli.mjs', import.meta.url));
const programOf = (name: string) => fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
let directory: ReturnType<typeof temporaryDirectory>;
let host: Host;
const running: ChildProcess[] = [];

beforeEach(async () => {
  directory = temporaryDirectory();
  const functions = [{ id: 'd', socketPath: file('d.sock'), model: 'mock-accel', options: {} }];
  host = await startHost({ functions, onClientGone: 'relisten' });
});
afterEach(async () => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
  await host.stop();
  directory.remove();
});

const file = (name: string) => path.join(directory.path, name);

function start(program: string, ...args: string[]) {
  const child = spawn(process.execPath, [tsx, '--conditions=@kata-mock/source', programOf(program), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (chunk: string) => (output[stream] += chunk));
  return once(child, 'close').then(([status]) => ({ status: status as number, ...output }));
}

const ctl = (...args: string[]) => start('mock-accel-server', 'ctl', ...args);

test('mock-accel-server ctl breaks what goes through a proxy, for one client after the other', async () => {
  const control = file('c.sock');
  const proxy = start('vfio-user-proxy', '--relisten', '--control', control, file('front.sock'), file('d.sock'));
  await expect.poll(() => existsSync(control), { timeout: 30_000, interval: 50 }).toBe(true);
  expect(statSync(control).mode & 0o777).toBe(0o600);
  expect(statSync(file('front.sock')).mode & 0o777).toBe(0o600);
  const first = Client.connect(file('front.sock'), { timeoutMs: 30_000 });
  expect(first.read32(0, Reg.STATUS)).toBe(1);
  const rule = { id: 's', when: { region: 0, offset: Reg.STATUS }, fault: { kind: 'ones' } };
  expect(await ctl(control, 'fault-set', JSON.stringify(rule))).toMatchObject({ status: 0, stdout: 'done\n' });
  expect(first.read32(0, Reg.STATUS)).toBe(0xffffffff);
  first.close();
  const second = Client.connect(file('front.sock'), { timeoutMs: 30_000 });
  expect(second.read32(0, Reg.STATUS)).toBe(0xffffffff);
  const listed = await ctl('--output', 'json', control, 'fault-list');
  expect(JSON.parse(listed.stdout)).toMatchObject([{ id: 's', struck: 2 }]);
  const refused = await ctl(control, 'fault-set', JSON.stringify({ id: 'd', fault: { kind: 'dma-error' } }));
  expect(refused).toMatchObject({ status: 2, stdout: '' });
  expect(refused.stderr).toMatch(/dma-error is not for a proxy/);
  expect((await ctl(control, 'stop')).status).toBe(0);
  expect(await proxy).toMatchObject({ status: 0, stderr: '' });
  expect([existsSync(control), existsSync(file('front.sock'))]).toEqual([false, false]);
  second.close();
}, 120_000);

test('without a server it says so and exits 1', async () => {
  const proxy = start('vfio-user-proxy', file('front.sock'), file('nobody.sock'));
  await expect.poll(() => existsSync(file('front.sock')), { timeout: 30_000, interval: 50 }).toBe(true);
  expect(() => Client.connect(file('front.sock'), { timeoutMs: 30_000 })).toThrow();
  const { status, stderr } = await proxy;
  expect(status).toBe(1);
  expect(stderr).toMatch(/nobody\.sock": .*; is it running\?/);
  expect(existsSync(file('front.sock'))).toBe(false);
}, 60_000);
