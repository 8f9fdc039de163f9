import { closeSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { accept, eventfd, eventfdRead, memfdCreate, unixConnect, unixListen } from '@kata-mock/posix';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Client } from '../client/client.ts';
import { type Host, startHost } from '../host/host.ts';
import { DmaStatus, Reg } from '../mock-accel/gen/registers.ts';
import { PciIrq, PciRegion } from '../protocol/index.ts';
import { temporaryDirectory } from '../testing.ts';
import { readPcapng } from '../trace/pcapng.ts';
import { Tracer } from '../trace/tracer.ts';
import { MessageProxy } from './proxy.ts';

let directory: ReturnType<typeof temporaryDirectory>;
let host: Host;

beforeEach(async () => {
  directory = temporaryDirectory();
  const socketPath = path.join(directory.path, 'd.sock');
  host = await startHost({ functions: [{ id: 'd', socketPath, model: 'mock-accel', options: { aperture: '1M' } }] });
});
afterEach(async () => {
  await host.stop();
  directory.remove();
});

/**
 * Runs a blocking client in a worker, because the proxy needs this thread. The worker runs `body` with `client` and
 * `posix`, and posts what it returns.
 */
function inWorker(socketPath: string, body: string): Promise<unknown> {
  const source = new URL('../client/client.ts', import.meta.url).href;
  const posix = new URL('../../../posix/src/index.ts', import.meta.url).href;
  const code = `import('tsx/esm/api').then(({ register }) => { register();
      return Promise.all([import(${JSON.stringify(source)}), import(${JSON.stringify(posix)})]); })
    .then(([{ Client }, posix]) => {
      const client = Client.connect(${JSON.stringify(socketPath)});
      const { parentPort, workerData } = require('node:worker_threads');
      let result;
      try { result = (() => { ${body} })(); } catch (error) { result = { code: error.code, errno: error.errno }; }
      client.close();
      parentPort.postMessage(result);
    });`;
  return new Promise((resolve, reject) => {
    const worker = new Worker(code, {
      eval: true,
      trackUnmanagedFds: false,
      execArgv: ['--conditions=@kata-mock/source'],
    });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

async function throughProxy(body: string, prepare: (proxy: MessageProxy) => void = () => {}): Promise<unknown> {
  const front = path.join(directory.path, 'front.sock');
  const listener = unixListen(front);
  const result = inWorker(front, body);
  const proxy = new MessageProxy(accept(listener), unixConnect(path.join(directory.path, 'd.sock')));
  prepare(proxy);
  await proxy.run();
  closeSync(listener);
  return result;
}

test('passes messages and records them', async () => {
  const file = path.join(directory.path, 't.pcapng');
  const tracer = new Tracer(file, 'proxy');
  const body = `client.write32(0, ${Reg.STATUS}, 77); return client.read32(0, ${Reg.STATUS});`;
  const result = await throughProxy(body, (proxy) => {
    proxy.observer = tracer;
  });
  tracer.close();
  expect(result).toBe(77);
  expect(readPcapng(readFileSync(file)).records).toHaveLength(6);
});

test('breaks answers by its own faults', async () => {
  const body = `return [client.read32(0, ${Reg.STATUS}), client.read32(0, ${Reg.STATUS}), client.read32(0, 0)];`;
  const result = await throughProxy(body, (proxy) => {
    const when = { access: 'read', region: 0, offset: Reg.STATUS, nth: 2 };
    proxy.faults.set({ id: 'x', when, fault: { kind: 'flip', mask: 0xf0 } });
  });
  expect(result).toEqual([1, 0xf1, 0x4b434f4d]);
});

test('answers errors without asking the server', async () => {
  const body = `try { client.write32(0, ${Reg.STATUS}, 5); } catch (error) { return [error.errno, client.read32(0, ${Reg.STATUS})]; }`;
  const result = await throughProxy(body, (proxy) => {
    proxy.faults.set({ id: 'x', when: { access: 'write' }, fault: { kind: 'error', errno: 16 } });
  });
  expect(result).toEqual([16, 1]);
});

test('passes descriptors both ways: guest memory, eventfds, a region to map', async () => {
  const body = `
    const [irq, memory] = [posix.eventfd(), posix.memfdCreate('guest', { size: 8192, seal: true })];
    client.setIrqs({ index: ${PciIrq.MSIX}, start: 1, count: 1, data: 'eventfd', action: 'trigger' }, [irq]);
    client.regionWrite(${PciRegion.CONFIG}, 4, Uint8Array.of(6, 0));
    client.dmaMap({ flags: 3, offset: 0n, address: 0n, size: 8192n }, memory);
    client.write32(0, ${Reg.IRQ_ENABLE}, 2);
    client.write32(0, ${Reg.DMA_LEN}, 16);
    client.write32(0, ${Reg.DMA_CMD}, 1);
    const status = client.read32(0, ${Reg.DMA_STATUS});
    posix.poll([{ fd: irq, events: posix.POLLIN }], 5000);
    const fired = posix.eventfdRead(irq);
    const { fd, size } = client.regionInfo(2);
    const mapping = posix.mmap(fd, Number(size), { prot: posix.PROT_READ | posix.PROT_WRITE, flags: posix.MAP_SHARED, offset: 0 });
    mapping.bytes[5] = 77;
    const [seen] = client.regionRead(2, 5, 1);
    mapping.unmap();
    return { status, fired, seen };`;
  expect(await throughProxy(body)).toEqual({ status: DmaStatus.STATE_DONE, fired: 1n, seen: 77 });
});

test('loses, doubles and delays interrupts', async () => {
  const body = `
    const irq = posix.eventfd();
    client.setIrqs({ index: ${PciIrq.MSIX}, start: 0, count: 1, data: 'eventfd', action: 'trigger' }, [irq]);
    const wait = (ms) => {
      const begin = performance.now();
      posix.poll([{ fd: irq, events: posix.POLLIN }], ms);
      return { count: Number(posix.eventfdRead(irq)), late: performance.now() - begin > 100 };
    };
    const raise = (ms) => {
      client.setIrqs({ index: ${PciIrq.MSIX}, start: 0, count: 1, data: 'none', action: 'trigger' });
      return wait(ms);
    };
    return [raise(100), raise(5000), wait(5000), raise(5000), raise(5000)];`;
  const result = await throughProxy(body, (proxy) => {
    proxy.faults.set({ id: 'a', when: { nth: 1 }, fault: { kind: 'irq-lost' } });
    proxy.faults.set({ id: 'b', when: { nth: 2 }, fault: { kind: 'irq-duplicate' } });
    proxy.faults.set({ id: 'c', when: { nth: 3 }, fault: { kind: 'irq-late', ms: 200 } });
  });
  expect(result).toMatchObject([{ count: 0 }, { count: 1 }, { count: 1 }, { count: 1, late: true }, { count: 1 }]);
});

test('descriptors reach a device in its own thread over a socket', () => {
  const client = Client.connect(path.join(directory.path, 'd.sock'));
  const fd = eventfd();
  const memory = memfdCreate('guest', { size: 8192, seal: true });
  client.setIrqs({ index: PciIrq.MSIX, start: 1, count: 1, data: 'eventfd', action: 'trigger' }, [fd]);
  client.regionWrite(PciRegion.CONFIG, 4, Uint8Array.of(6, 0));
  client.dmaMap({ flags: 3, offset: 0n, address: 0n, size: 8192n }, memory);
  client.write32(0, Reg.IRQ_ENABLE, 2);
  client.write32(0, Reg.DMA_LEN, 16);
  client.write32(0, Reg.DMA_CMD, 1);
  expect(client.read32(0, Reg.DMA_STATUS)).toBe(DmaStatus.STATE_DONE);
  expect(eventfdRead(fd)).toBe(1n);
  client.close();
  closeSync(fd);
  closeSync(memory);
});
