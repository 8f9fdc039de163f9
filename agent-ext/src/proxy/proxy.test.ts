import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { create, fromBinary, fromJson, type JsonValue, toBinary } from '@bufbuild/protobuf';
import {
  AgentService,
  type CreateContainerRequest,
  CreateContainerRequestSchema,
  ExecProcessRequestSchema,
  GuestDetailsResponseSchema,
} from '@kata-mock/contracts';
import { Code, type Connection, connect, createClient, type RawCall, Server, TtrpcError } from 'ttrpc-ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FakeAgent, fakeAgent, mockTree, uuidOf } from '../testing/fake-agent.ts';
import { proxyBackend } from './backend.ts';

/** An agent of Kata as the fact sheets describe it: its device types, and what it does about PCIDEVICE_ variables. */
class Peer {
  readonly address: string;
  readonly seen: { method: string; payload: Uint8Array }[] = [];
  readonly containers = new Map<string, CreateContainerRequest>();
  version = '3.21.0';
  #server = new Server();

  constructor(address: string) {
    this.address = address;
  }

  async start(): Promise<void> {
    this.#server = new Server();
    this.#server.fallback((call) => this.#answer(call));
    await this.#server.listen(this.address);
  }

  stop(): void {
    this.#server.close();
  }

  async #answer(call: RawCall): Promise<Uint8Array | undefined> {
    this.seen.push({ method: call.method, payload: call.payload });
    if (call.method === 'Echo') {
      for await (const message of call.requests) await call.send(message);
      return undefined;
    }
    if (call.method === 'GetGuestDetails') {
      return toBinary(
        GuestDetailsResponseSchema,
        create(GuestDetailsResponseSchema, { agentDetails: { version: this.version } }),
      );
    }
    if (call.method === 'CreateContainer') this.#create(fromBinary(CreateContainerRequestSchema, call.payload));
    return call.method === 'Future' ? Buffer.concat([Buffer.from('re:'), call.payload]) : new Uint8Array();
  }

  #create(request: CreateContainerRequest): void {
    const known = ['blk', 'blk-ccw', 'mmioblk', 'scsi', 'nvdimm', 'vfio-pci-gk', 'vfio-pci', 'vfio-ap'];
    const map = new Map<string, string>();
    for (const { type, options } of request.devices) {
      if (!known.includes(type)) throw new TtrpcError(Code.INTERNAL, `Failed to find the device handler "${type}"`);
      // As in 3.21: each Device replaces the map of the one before.
      map.clear();
      for (const option of options) map.set(option.split('=')[0] as string, 'guest');
    }
    const isStrict = Number(this.version.split('.')[1]) < 32;
    for (const entry of request.OCI?.Process?.Env ?? []) {
      if (!isStrict || !entry.startsWith('PCIDEVICE_') || entry.includes('_INFO=')) continue;
      if (map.size === 0)
        throw new TtrpcError(Code.INTERNAL, `No PCI mapping found for container ${request.containerId}`);
      for (const address of entry.slice(entry.indexOf('=') + 1).split(',')) {
        if (!map.has(address)) throw new TtrpcError(Code.INTERNAL, `Unable to translate host PCI address ${address}`);
      }
    }
    this.containers.set(request.containerId, request);
  }
}

let directory: string;
let peer: Peer;
let fake: FakeAgent;
let front: Server;
let connection: Connection;
const setUp = async (...places: string[]) => {
  const { tree, inventory } = mockTree(...places);
  fake = fakeAgent({ tree, inventory, config: { proxyTo: peer.address } });
  front = new Server();
  proxyBackend(fake.agent).register(front);
  await front.listen(`unix://${directory}/front`);
  connection = await connect(`unix://${directory}/front`);
  return createClient(AgentService, connection);
};

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'proxy-'));
  peer = new Peer(`unix://${directory}/peer`);
  await peer.start();
});
afterEach(() => {
  connection?.close();
  front?.close();
  peer.stop();
  fake?.remove();
  rmSync(directory, { recursive: true, force: true });
});

const container = (more: object = {}, env: string[] = [], linux: object = {}) => ({
  containerId: 'c1',
  execId: 'c1',
  OCI: { Version: '1.0.2', Process: { Args: ['sh'], Cwd: '/', Env: env }, Linux: { ...linux } },
  ...more,
});
const mockDevice = (index: number, place: string) => ({
  type: 'mock-accel',
  id: '1',
  containerPath: `/dev/mock${index}`,
  options: [`0000:1a:00.0=${place}`],
});
const nodes = { Devices: [{ Path: '/dev/mock0', Type: 'c', Major: 1n, Minor: 3n }] };

describe('a proxy before another agent', () => {
  test('passes unknown methods and services byte for byte', async () => {
    await setUp();
    const reply = await connection.raw('future.Service', 'Future', Buffer.from([1, 2, 3]));
    expect(Buffer.from(reply).toString('latin1')).toBe('re:\x01\x02\x03');
  });

  test('passes streams', async () => {
    await setUp();
    const stream = connection.rawStream('future.Service', 'Echo', { open: true });
    await stream.send(Buffer.from('one'));
    await stream.send(Buffer.from('two'));
    stream.closeSend();
    const replies: string[] = [];
    for await (const message of stream.responses) replies.push(Buffer.from(message).toString());
    expect(replies).toEqual(['one', 'two']);
  });

  test('handles a device the other agent does not know, and takes it out of the request', async () => {
    const client = await setUp('02/00');
    await client.createContainer(container({ devices: [mockDevice(0, '02/00')] }, [], nodes));
    const passed = peer.containers.get('c1');
    expect(passed?.devices).toEqual([]);
    expect(passed?.OCI?.Linux?.Devices).toMatchObject([{ Path: '/dev/mock0', Major: 240n, Minor: 0n }]);
    expect(passed?.OCI?.Linux?.Resources?.Devices).toMatchObject([
      { Allow: true, Type: 'c', Major: 240n, Access: 'rwm' },
    ]);
  });

  test('leaves other device types to the other agent', async () => {
    const client = await setUp('02/00');
    const blk = { type: 'blk', id: '04', containerPath: '/dev/xvda' };
    await client.createContainer(container({ devices: [blk, mockDevice(0, '02/00')] }, [], nodes));
    expect(peer.containers.get('c1')?.devices).toMatchObject([blk]);
  });

  test('gives an agent before 3.32 an identity map for the addresses it has rewritten', async () => {
    const client = await setUp('02/00');
    await client.createContainer(container({ devices: [mockDevice(0, '02/00')] }, ['PCIDEVICE_X=0000:1a:00.0'], nodes));
    const passed = peer.containers.get('c1');
    expect(passed?.OCI?.Process?.Env).toEqual(['PCIDEVICE_X=0000:01:00.0']);
    expect(passed?.devices).toMatchObject([{ type: 'vfio-pci-gk', options: ['0000:01:00.0=02.0/00.0'] }]);
    expect(fake.guest.kernel.writes).toContainEqual({
      path: '/sys/devices/pci0000:00/0000:00:02.0/0000:01:00.0/uevent',
      text: 'add',
    });
  });

  test('tells an agent from 3.32 on nothing it does not need', async () => {
    peer.version = '3.32.0';
    const client = await setUp('02/00');
    await client.createContainer(container({ devices: [mockDevice(0, '02/00')] }, ['PCIDEVICE_X=0000:1a:00.0'], nodes));
    expect(peer.containers.get('c1')?.devices).toEqual([]);
  });

  test('refuses what an old agent cannot be told: a device behind a pxb, with the reason', async () => {
    const client = await setUp('a0/00/00');
    const request = container({ devices: [mockDevice(0, 'a0/00/00')] }, ['PCIDEVICE_X=0000:1a:00.0'], nodes);
    await expect(client.createContainer(request)).rejects.toMatchObject({
      code: Code.FAILED_PRECONDITION,
      message: expect.stringContaining('older than 3.32 and cannot be told of 0000:a1:00.0'),
    });
    expect(peer.containers.size).toBe(0);
  });

  test('rewrites an exec by the map of its container', async () => {
    peer.version = '3.32.0';
    const client = await setUp('02/00');
    await client.createContainer(container({ devices: [mockDevice(0, '02/00')] }, [], nodes));
    await client.execProcess({
      containerId: 'c1',
      execId: 'e1',
      process: { Args: ['id'], Env: ['PCIDEVICE_X=0000:1a:00.0'] },
    });
    const { payload } = peer.seen.find(({ method }) => method === 'ExecProcess') ?? { payload: new Uint8Array() };
    expect(fromBinary(ExecProcessRequestSchema, payload).process?.Env).toEqual(['PCIDEVICE_X=0000:01:00.0']);
  });

  test('injects our own CDI devices and leaves the others asked for', async () => {
    const client = await setUp('02/00');
    const OCI = {
      ...container().OCI,
      Annotations: {
        'cdi.k8s.io/a': `kata-mock.dev/accel=${uuidOf(0)},nvidia.com/gpu=0`,
        'cdi.k8s.io/b': 'kata-mock.dev/accel=0',
        other: 'x',
      },
    };
    await client.createContainer(container({ OCI }));
    const passed = peer.containers.get('c1');
    expect(passed?.OCI?.Annotations).toEqual({ 'cdi.k8s.io/a': 'nvidia.com/gpu=0', other: 'x' });
    expect(passed?.OCI?.Linux?.Devices).toMatchObject([{ Path: '/dev/mock0', Major: 240n, Minor: 0n }]);
  });

  test('refuses a bad request itself, with our error', async () => {
    const client = await setUp('02/00');
    const refused = client.createContainer(container({ devices: [mockDevice(0, '05/00')] }, [], nodes));
    await expect(refused).rejects.toMatchObject({
      code: Code.NOT_FOUND,
      message: expect.stringContaining('no PCI device at "05/00"'),
    });
  });

  test('passes the other agent’s errors on as they are', async () => {
    const client = await setUp('02/00');
    const refused = client.createContainer(
      container({ devices: [{ type: 'future', id: '1', containerPath: '/dev/x' }] }),
    );
    await expect(refused).rejects.toMatchObject({
      code: Code.INTERNAL,
      message: 'Failed to find the device handler "future"',
    });
  });

  test('says that the agent is gone, and serves again when it is back', async () => {
    const client = await setUp();
    await client.startContainer({ containerId: 'c1' });
    peer.stop();
    await expect(client.startContainer({ containerId: 'c1' })).rejects.toMatchObject({ code: Code.UNAVAILABLE });
    await expect(client.startContainer({ containerId: 'c1' })).rejects.toMatchObject({
      code: Code.UNAVAILABLE,
      message: expect.stringContaining(`the agent at ${peer.address} cannot be reached`),
    });
    await peer.start();
    await client.startContainer({ containerId: 'c1' });
  });

  test('passes every recorded request of a pod; those without devices are the same bytes', async () => {
    await setUp();
    const file = new URL('../../../test/fixtures/kata-3.21-cri-pod.jsonl', import.meta.url);
    expect(existsSync(file)).toBe(true);
    for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
      const { method, request } = JSON.parse(line) as { method: string; request: JsonValue };
      const descriptor = AgentService.methods.find(({ name }) => name === method);
      if (!descriptor) continue;
      const bytes = toBinary(descriptor.input, fromJson(descriptor.input, request));
      await connection.raw(AgentService.typeName, method, bytes);
      const passed = peer.seen.at(-1);
      expect(passed?.method).toBe(method);
      // A decoded and encoded message may order its maps differently, so compare what it says.
      const decode = (payload: Uint8Array) => fromBinary(descriptor.input, payload);
      if (method === 'CreateContainer') expect(decode(passed?.payload ?? new Uint8Array())).toEqual(decode(bytes));
      else expect(Buffer.compare(Buffer.from(passed?.payload ?? []), Buffer.from(bytes))).toBe(0);
    }
  });
});
