import { closeSync, existsSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  dup,
  eventfd,
  eventfdRead,
  getrlimit,
  memfdCreate,
  POLLIN,
  poll,
  setrlimit,
  unixConnect,
} from '@kata-mock/posix';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Client } from '../client/client.ts';
import { controlCall } from '../control/client.ts';
import { startControlServer } from '../control/server.ts';
import { DmaCmd, DmaStatus, Reg } from '../mock-accel/gen/registers.ts';
import { Command, encodeRegionAccess, encodeVersion, PciIrq, PciRegion } from '../protocol/index.ts';
import { FakeMemory, openDescriptors, temporaryDirectory } from '../testing.ts';
import { SocketChannel } from '../transport/socket-channel.ts';
import { type Host, startHost } from './host.ts';

let directory: ReturnType<typeof temporaryDirectory>;
let host: Host | undefined;
let before: string[];

beforeEach(() => {
  before = openDescriptors();
  directory = temporaryDirectory();
});

afterEach(async () => {
  await host?.stop();
  host = undefined;
  directory.remove();
});

const socket = (name = 'd0') => path.join(directory.path, `${name}.sock`);
const spec = (name = 'd0', options: Record<string, unknown> = {}) => ({
  id: name,
  socketPath: socket(name),
  model: 'mock-accel',
  options,
});
const event = (name: 'connected' | 'disconnected') => new Promise((resolve) => host!.once(name, resolve));

describe('a host', () => {
  test('serves several functions at once, each with its own registers', async () => {
    host = await startHost({ functions: [spec('d0', { uuid: 'FIRST' }), spec('d1', { uuid: 'SECOND' })] });
    expect(statSync(socket('d0')).mode & 0o777).toBe(0o600);
    const clients = ['d0', 'd1'].map((name) => Client.connect(socket(name)));
    const uuids = clients.map((client) => Buffer.from(client.regionRead(0, Reg.UUID, 6)).toString());
    expect(uuids).toEqual(['FIRST\0', 'SECOND']);
    clients[0]!.write32(0, Reg.STATUS, 0x55);
    expect(clients.map((client) => client.read32(0, Reg.STATUS))).toEqual([0x55, 1]);
    for (const client of clients) client.close();
    await host.closed;
    expect(existsSync(socket('d0'))).toBe(false);
    expect(openDescriptors()).toEqual(before);
  });

  test('shows registers while a client is connected and idle, within 50 ms', async () => {
    host = await startHost({ functions: [spec()] });
    const client = Client.connect(socket());
    client.write32(0, Reg.STATUS, 0xabc);
    const read = async () => (await host!.registers('d0')).find(({ name }) => name === 'STATUS')!.value;
    expect(await read()).toBe('0x00000abc');
    // The first answer may meet the thread in its receive; idle is only after it.
    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      const start = performance.now();
      await read();
      times.push(performance.now() - start);
    }
    expect(Math.min(...times)).toBeLessThan(50);
    client.close();
  });

  test('interrupts, timers and a reload act on an idle connection within 50 ms', async () => {
    host = await startHost({ functions: [spec('d0', { uuid: 'IDLE' })] });
    const client = Client.connect(socket());
    const fd = eventfd();
    client.setIrqs({ index: PciIrq.MSIX, start: 0, count: 1, data: 'eventfd', action: 'trigger' }, [fd]);
    const ask = (method: string, parameters: object) => host!.request('d0', method, parameters as never);
    /** Waits in poll, as the device's thread is another one, so that only its time is measured. */
    const interrupted = async () => {
      await ask('interrupt', { vector: 0 });
      expect(poll([{ fd, events: POLLIN }], 5000)).toEqual([POLLIN]);
      expect(eventfdRead(fd)).toBe(1n);
    };
    const fastest = async (action: (round: number) => Promise<unknown>) => {
      const times: number[] = [];
      for (let round = 0; round < 6; round++) {
        const start = performance.now();
        await action(round);
        times.push(performance.now() - start);
      }
      return Math.min(...times);
    };
    expect(await fastest(interrupted)).toBeLessThan(50);
    await ask('fault-set', { rule: { id: 'late', fault: { kind: 'irq-late', ms: 5 } } });
    expect(await fastest(interrupted)).toBeLessThan(50);
    await ask('fault-clear', {});
    const firmware = async (round: number) => {
      await ask('reload', { options: { uuid: 'IDLE', firmwareVersion: round } });
      const values = await host!.registers('d0');
      expect(values.find(({ name }) => name === 'FW_VERSION')!.value).toBe(`0x0000000${round}`);
    };
    expect(await fastest(firmware)).toBeLessThan(50);
    client.close();
    closeSync(fd);
  });

  test('answers before any client comes', async () => {
    host = await startHost({ functions: [spec()] });
    expect((await host.registers('d0'))[0]).toEqual({ name: 'DEVICE_ID', offset: 0, width: 4, value: '0x4b434f4d' });
    await expect(host.registers('d9')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('stops within 500 ms, with a client connected or not', async () => {
    host = await startHost({ functions: [spec('d0'), spec('d1')] });
    const client = Client.connect(socket('d0'));
    await host.registers('d1');
    const start = performance.now();
    await host.stop();
    expect(performance.now() - start).toBeLessThan(500);
    expect([existsSync(socket('d0')), existsSync(socket('d1'))]).toEqual([false, false]);
    expect(() => client.deviceInfo()).toThrow();
    client.close();
  });

  test('stops although a device never returns', async () => {
    const file = path.join(directory.path, 'stuck.mjs');
    writeFileSync(
      file,
      `const hang = () => { for (;;); };
       export default { name: 'stuck', regions: [{ size: 16, read: hang, write: hang }], irqs: [0, 0, 0, 1], attach() {}, reset() {} };`,
    );
    host = await startHost({ functions: [{ ...spec(), model: `file://${file}` }] });
    const client = Client.connect(socket());
    const [memory, vector] = [memfdCreate('ram', { size: 4096, seal: true }), eventfd()];
    client.dmaMap({ flags: 3, offset: 0n, address: 0n, size: 4096n }, memory);
    client.setIrqs({ index: PciIrq.ERR, start: 0, count: 1, data: 'eventfd', action: 'trigger' }, [vector]);
    const read = client.send(Command.REGION_READ, encodeRegionAccess({ offset: 0, region: 0, count: 4 }));
    expect(() => client.receive(read, Command.REGION_READ, 50)).toThrow(/in time/);
    const start = performance.now();
    await host.stop();
    expect(performance.now() - start).toBeLessThan(1000);
    // The thread could close nothing.
    expect(() => client.receive(read, Command.REGION_READ, 1000)).toThrow(/closed the connection/);
    client.close();
    for (const fd of [memory, vector]) closeSync(fd);
    expect(openDescriptors()).toEqual(before);
  });

  test('stops although a client does not take its answers', async () => {
    host = await startHost({ functions: [spec('d0', { aperture: '4M' })], onClientGone: 'relisten' });
    const client = Client.connect(socket());
    const read = encodeRegionAccess({ offset: 0, region: 2, count: 1 << 20 });
    for (let count = 0; count < 4; count++) client.send(Command.REGION_READ, read);
    expect(poll([{ fd: (client.channel as SocketChannel).fd, events: POLLIN }], 5000)).toEqual([POLLIN]);
    const start = performance.now();
    await host.stop();
    expect(performance.now() - start).toBeLessThan(500);
    client.close();
  });

  test('stops although a client does not take what is sent on its second socket', async () => {
    host = await startHost({ functions: [spec()], onClientGone: 'relisten' });
    const client = new Client(new SocketChannel(unixConnect(socket())));
    const capabilities = { max_msg_fds: 1, max_data_xfer_size: 1 << 20, twin_socket: { supported: true } };
    const version = encodeVersion({ major: 0, minor: 1, capabilities });
    const [twin] = client.request(Command.VERSION, version).fds;
    client.regionWrite(PciRegion.CONFIG, 4, Uint8Array.of(6, 0));
    client.dmaMap({ flags: 3, offset: 0n, address: 0n, size: 1n << 20n });
    client.write32(0, Reg.DMA_LEN, 1 << 20);
    client.write32(0, Reg.DMA_CMD, DmaCmd.START | (DmaCmd.DIRECTION_TO_GUEST << DmaCmd.DIRECTION_SHIFT));
    expect(poll([{ fd: twin!, events: POLLIN }], 5000)).toEqual([POLLIN]);
    const start = performance.now();
    await host.stop();
    expect(performance.now() - start).toBeLessThan(500);
    client.close();
    closeSync(twin!);
    expect(openDescriptors()).toEqual(before);
  });

  test("no function's client uses up the descriptors of the others", async () => {
    const { soft, hard } = getrlimit('nofile');
    setrlimit('nofile', 256, hard);
    const open: number[] = [];
    try {
      host = await startHost({ functions: [spec('d0'), spec('d1'), spec('d2')], onClientGone: 'relisten' });
      const memory = memfdCreate('ram', { size: 4096, seal: true });
      open.push(memory);
      const fill = (client: Client) => {
        for (let page = 0; ; page++)
          try {
            client.dmaMap({ flags: 3, offset: 0n, address: BigInt(page) << 12n, size: 4096n }, memory);
          } catch (error) {
            return { page, error };
          }
      };
      // Three threads that start at once may need longer than a client waits.
      for (const name of ['d0', 'd1', 'd2']) await host.registers(name);
      const clients = ['d0', 'd1'].map((name) => Client.connect(socket(name)));
      // A third of what is left of 256, each.
      for (const client of clients) expect(fill(client)).toMatchObject({ page: 40, error: { errno: 28 } });

      // Nothing is free for the next connection: it waits.
      try {
        for (;;) open.push(dup(memory));
      } catch {
        closeSync(open.pop()!);
      }
      const channel = new SocketChannel(unixConnect(socket('d2')));
      // The others' refusals may be told late.
      const waiting = await new Promise<string>((resolve) =>
        host!.on('log', ({ id, message }: { id: string; message: string }) => id === 'd2' && resolve(message)),
      );
      expect(waiting).toBe('a client waits until a descriptor is free');
      for (const fd of open.splice(0)) closeSync(fd);
      const last = Client.open(channel);
      expect(last.read32(0, Reg.DEVICE_ID)).toBe(0x4b434f4d);
      for (const client of [...clients, last]) client.close();
    } finally {
      setrlimit('nofile', soft, hard);
      for (const fd of open) closeSync(fd);
    }
  });

  test('serves the next client when asked to, with registers reset or kept', async () => {
    for (const keepState of [false, true]) {
      host = await startHost({ functions: [spec()], onClientGone: 'relisten', keepState });
      const first = Client.connect(socket());
      first.write32(0, Reg.STATUS, 0x99);
      const gone = event('disconnected');
      first.close();
      await gone;
      const second = Client.connect(socket());
      expect(second.read32(0, Reg.STATUS)).toBe(keepState ? 0x99 : 1);
      second.close();
      await host.stop();
    }
  });

  test('refuses options before it listens, and leaves nothing behind', async () => {
    await expect(startHost({ functions: [spec('d0'), spec('d1', { colour: 1 })] })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    });
    await expect(startHost({ functions: [spec('d0'), spec('d0')] })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    expect(existsSync(socket('d0'))).toBe(false);
    expect(openDescriptors()).toEqual(before);
  });

  test('says so when a socket is taken', async () => {
    writeFileSync(socket('d0'), '');
    await expect(startHost({ functions: [spec('d0')] })).rejects.toThrow(/EADDRINUSE/);
    expect(openDescriptors()).toEqual(before);
  });

  test('ends and logs when a device cannot be made', async () => {
    host = await startHost({ functions: [{ ...spec(), model: 'toaster' }] });
    const [entry] = await new Promise<[{ message: string; fields: { reason?: string } }]>((resolve) =>
      host!.once('log', (...args) => resolve(args as never)),
    );
    expect(entry.fields.reason).toMatch(/no device model "toaster"; there are mock-accel/);
    await host.closed;
  });
});

describe('guest memory that only messages reach', () => {
  test.each([false, true])('is reached over a socket; a second socket for it: %s', async (twin) => {
    const memory = new FakeMemory(1 << 20);
    memory.bytes.set([1, 2, 3, 4, 5], 100);
    host = await startHost({ functions: [spec()] });
    const capabilities = {
      max_msg_fds: 8,
      max_data_xfer_size: 1 << 16,
      ...(twin ? { twin_socket: { supported: true } } : {}),
    };
    const client = Client.connect(socket(), { memory, capabilities });
    expect(client.version.capabilities?.twin_socket).toEqual(twin ? { supported: true, fd_index: 0 } : undefined);
    client.regionWrite(PciRegion.CONFIG, 4, Uint8Array.of(6, 0));
    client.dmaMap({ flags: 3, offset: 0n, address: 0n, size: 1n << 20n });
    const copy = (direction: number, source: bigint, target: bigint, length: number) => {
      client.write64(0, Reg.DMA_SRC, source);
      client.write64(0, Reg.DMA_DST, target);
      client.write32(0, Reg.DMA_LEN, length);
      client.write32(0, Reg.DMA_CMD, DmaCmd.START | (direction << DmaCmd.DIRECTION_SHIFT));
      let status = DmaStatus.STATE_BUSY as number;
      while ((status & 0xff) === DmaStatus.STATE_BUSY) status = client.read32(0, Reg.DMA_STATUS);
      expect(status).toBe(DmaStatus.STATE_DONE);
    };
    copy(DmaCmd.DIRECTION_TO_DEVICE, 100n, 0n, 5);
    copy(DmaCmd.DIRECTION_TO_GUEST, 0n, 5000n, 300_000);
    expect([...memory.bytes.subarray(4999, 5006)]).toEqual([0, 1, 2, 3, 4, 5, 0]);
    client.close();
    await host.closed;
    expect(openDescriptors()).toEqual(before);
  });
});

describe('the control socket', () => {
  test('lists functions, shows registers and answers errors by code', async () => {
    host = await startHost({ functions: [spec('d0', { uuid: 'ABC' })] });
    const control = path.join(directory.path, 'control.sock');
    const server = await startControlServer(host, control);
    expect(statSync(control).mode & 0o777).toBe(0o600);
    expect(await controlCall(control, 'list')).toEqual([{ id: 'd0', model: 'mock-accel', socketPath: socket() }]);
    const registers = (await controlCall(control, 'registers', { id: 'd0' })) as { name: string; value: string }[];
    expect(registers.find(({ name }) => name === 'UUID')!.value).toBe(
      Buffer.from('ABC').toString('hex').padEnd(32, '0'),
    );
    await expect(controlCall(control, 'registers', { id: 'd7' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(controlCall(control, 'registers', { id: 7 })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    await expect(controlCall(control, 'constructor')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await server.close();
    expect(existsSync(control)).toBe(false);
    await expect(controlCall(control, 'list')).rejects.toMatchObject({ code: 'DISCONNECTED' });
  });
});
