import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { controlCall } from '../control/client.ts';
import { type ControlServer, serveControl } from '../control/server.ts';
import { type Host, startHost } from '../host/host.ts';
import { Reg } from '../mock-accel/gen/registers.ts';
import { codeOf, temporaryDirectory } from '../testing.ts';
import { readPcapng } from '../trace/pcapng.ts';
import { proxyMethods } from './methods.ts';
import { ProxyServer } from './proxy-server.ts';

let directory: ReturnType<typeof temporaryDirectory>;
let host: Host;
let proxy: ProxyServer;
let control: ControlServer;
let running: Promise<void>;
const refused: string[] = [];
const file = (name: string) => path.join(directory.path, name);
const ctl = (method: string, params: object = {}) => controlCall(file('c.sock'), method, { id: 'd0', ...params });

beforeEach(async () => {
  directory = temporaryDirectory();
  refused.length = 0;
  const functions = [{ id: 'd', socketPath: file('d.sock'), model: 'mock-accel', options: {} }];
  host = await startHost({ functions, onClientGone: 'relisten' });
  const options = { listen: file('front.sock'), connect: file('d.sock'), relisten: true };
  proxy = new ProxyServer({ ...options, refused: (error) => refused.push(error.message) });
  control = await serveControl(file('c.sock'), proxyMethods(proxy));
  running = proxy.run();
});
afterEach(async () => {
  proxy.stop();
  await running;
  proxy.close();
  await control.close();
  await host.stop();
  directory.remove();
});

/** A blocking client in a worker: reads STATUS each time it is asked, closes on 'close'. */
async function connectClient() {
  const source = new URL('../client/client.ts', import.meta.url).href;
  const code = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(source)}); })
    .then(({ Client }) => {
      const { parentPort } = require('node:worker_threads');
      const attempt = (work) => { try { return work(); } catch (error) { return error.code; } };
      let client;
      const opened = attempt(() => { client = Client.connect(${JSON.stringify(file('front.sock'))}); return 'open'; });
      parentPort.on('message', (what) => {
        if (what === 'read') parentPort.postMessage(attempt(() => client.read32(0, ${Reg.STATUS})));
        else { client?.close(); parentPort.close(); }
      });
      parentPort.postMessage(opened);
    });`;
  const worker = new Worker(code, {
    eval: true,
    trackUnmanagedFds: false,
    execArgv: ['--conditions=@kata-mock/source'],
  });
  const answer = () => new Promise<unknown>((resolve, reject) => worker.once('message', resolve).once('error', reject));
  const opened = await answer();
  return {
    opened,
    read() {
      const value = answer();
      worker.postMessage('read');
      return value;
    },
    async close() {
      const ended = new Promise((resolve) => worker.once('exit', resolve));
      worker.postMessage('close');
      await ended;
    },
  };
}

test('faults are set, counted and cleared at run time, and stay for the next client', async () => {
  const first = await connectClient();
  expect(await first.read()).toBe(1);
  const when = { access: 'read', region: 0, offset: Reg.STATUS };
  expect(await ctl('fault-set', { rule: { id: 's', when, fault: { kind: 'ones' } } })).toBeNull();
  expect(await first.read()).toBe(0xffffffff);
  expect(await ctl('stats')).toEqual({ connected: true, clients: 1 });
  await first.close();
  const second = await connectClient();
  expect(await second.read()).toBe(0xffffffff);
  expect(await ctl('fault-list')).toMatchObject([{ id: 's', struck: 2 }]);
  expect(await ctl('fault-clear', { rule: 's' })).toEqual({ cleared: 1 });
  expect(await second.read()).toBe(1);
  await expect(ctl('fault-clear', { rule: 's' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(await ctl('list')).toMatchObject([{ id: 'd0', model: 'proxy', server: file('d.sock') }]);
  await second.close();
}, 30_000);

test('a trace begins and ends at run time', async () => {
  const client = await connectClient();
  await ctl('trace-start', { file: file('t.pcapng') });
  await expect(ctl('trace-start', { file: file('u.pcapng') })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  await client.read();
  expect(await ctl('trace-stop')).toEqual({ file: file('t.pcapng'), messages: 2 });
  await client.read();
  expect(readPcapng(readFileSync(file('t.pcapng'))).records).toHaveLength(2);
  await client.close();
}, 30_000);

test('a crash sends the client away, and the next one is served', async () => {
  const first = await connectClient();
  await ctl('fault-set', { rule: { id: 'c', when: { times: 1 }, fault: { kind: 'crash', returnMs: 50 } } });
  expect(await first.read()).toBe('DISCONNECTED');
  const second = await connectClient();
  expect(await second.read()).toBe(1);
  await Promise.all([first.close(), second.close()]);
}, 30_000);

test('a client is sent away while the server is not there, and the proxy says so', async () => {
  await host.stop();
  const client = await connectClient();
  expect(client.opened).toBe('DISCONNECTED');
  expect(refused.join()).toMatch(/d\.sock": .*; is it running\?/);
  await client.close();
}, 30_000);

test('a fault that only the server can bring about is refused', async () => {
  expect(codeOf(() => proxy.setFault({ id: 'x', fault: { kind: 'dma-error' } }))).toBe('INVALID_OPTION');
  const rule = { id: 'x', fault: { kind: 'dma-error' } };
  await expect(ctl('fault-set', { rule })).rejects.toThrow(/set it in the server/);
  await expect(ctl('registers')).rejects.toThrow(/no method "registers"; there are list/);
  await expect(ctl('stats', { id: 'd7' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(proxy.faults.isEmpty).toBe(true);
});

test('it stops when it is asked to and removes its socket', async () => {
  await ctl('stop');
  await running;
  proxy.close();
  expect(existsSync(file('front.sock'))).toBe(false);
});
