import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { create, fromBinary, fromJson, type JsonValue, toBinary } from '@bufbuild/protobuf';
import { AgentService, CreateContainerRequestSchema, ExecProcessRequestSchema } from '@kata-mock/contracts';
import { Code, type Connection, connect, createClient, Server } from 'ttrpc-ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AgentConfig, defaultConfig } from '../config/config.ts';
import { type FakeAgent, fakeAgent, mockTree, uuidOf } from '../testing/fake-agent.ts';
import { KataPeer } from '../testing/kata-peer.ts';
import { proxyBackend } from './backend.ts';

let directory: string;
let peer: KataPeer;
let fake: FakeAgent;
let front: Server;
let connection: Connection;
const setUp = (...places: string[]) => setUpWith({}, ...places);
const setUpWith = async (config: Partial<AgentConfig>, ...places: string[]) => {
  const { tree, inventory } = mockTree(...places);
  fake = fakeAgent({ tree, inventory, config: { ...config, proxyTo: peer.address } });
  front = new Server();
  proxyBackend(fake.agent).register(front);
  await front.listen(`unix://${directory}/front`);
  connection = await connect(`unix://${directory}/front`);
  return createClient(AgentService, connection);
};

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'proxy-'));
  peer = new KataPeer(`unix://${directory}/peer`, () => fake.guest);
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

  test('passes streams of both sides', async () => {
    await setUp();
    const stream = connection.rawStream('future.Service', 'Echo', { open: true });
    const sent = [Buffer.from('one'), Buffer.from([0, 255, 128]), Buffer.alloc(300_000, 7)];
    for (const message of sent) await stream.send(message);
    stream.closeSend();
    const replies: Buffer[] = [];
    for await (const message of stream.responses) replies.push(Buffer.from(message));
    expect(Buffer.concat(replies).equals(Buffer.concat(sent))).toBe(true);
    expect(replies).toHaveLength(3);
  });

  test('passes a stream of the other agent, and the error it ends with', async () => {
    await setUp();
    const stream = connection.rawStream('future.Service', 'Count', { open: false, payload: Buffer.from([9]) });
    const replies: number[][] = [];
    const read = async () => {
      for await (const message of stream.responses) replies.push([...message]);
    };
    await expect(read()).rejects.toMatchObject({ code: Code.OUT_OF_RANGE, message: 'counted enough' });
    expect(replies).toEqual([0, 1, 2].map((count) => [9, count]));
  });

  test('passes metadata, and gives up when its caller does', async () => {
    const client = await setUp();
    await client.startContainer({ containerId: 'c1' }, { metadata: { trace: ['42'] } });
    expect(peer.seen.at(-1)).toMatchObject({ method: 'StartContainer', metadata: '42' });
    peer.blocks = 'WaitProcess';
    await expect(client.waitProcess({ containerId: 'c1' }, { timeoutMs: 50 })).rejects.toMatchObject({
      code: Code.DEADLINE_EXCEEDED,
    });
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
    const vfio = { type: 'vfio-pci', id: '4', containerPath: '/dev/vfio/4', options: ['0000:1a:00.0=02/00'] };
    peer.version = '3.31.0';
    await client.createContainer(container({ devices: [vfio, mockDevice(0, '02/00')] }, [], nodes));
    expect(peer.containers.get('c1')?.devices).toMatchObject([vfio]);
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

  test.each(['3.21.0', '3.31.0', '3.32.0', '4.1.0'])(
    'gives a container beside its mock device one for VFIO, by an agent of %s: all addresses are the guest’s',
    async (version) => {
      peer.version = version;
      const client = await setUp('02/00', '03/00');
      const vfio = { type: 'vfio-pci', id: '4', containerPath: '/dev/vfio/4', options: ['0000:3b:00.0=03/00'] };
      const env = ['PCIDEVICE_X=0000:3b:00.0,0000:1a:00.0', 'PCIDEVICE_Y=0000:3b:00.0'];
      await client.createContainer(container({ devices: [vfio, mockDevice(0, '02/00')] }, env, nodes));
      const passed = peer.containers.get('c1');
      expect(passed?.OCI?.Process?.Env).toEqual(['PCIDEVICE_X=0000:02:00.0,0000:01:00.0', 'PCIDEVICE_Y=0000:02:00.0']);
      expect(passed?.devices[0]).toMatchObject(vfio);
      await client.createContainer({ ...container({ devices: [vfio] }, env.slice(1)), containerId: 'c2' });
      expect(peer.containers.get('c2')?.OCI?.Process?.Env).toEqual(['PCIDEVICE_Y=0000:02:00.0']);
    },
  );

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

  test.each(['CreateContainer', 'ExecProcess', 'RemoveContainer'])(
    'refuses a %s that cannot be read',
    async (method) => {
      await setUp();
      // An id that is no UTF-8.
      const call = connection.raw(AgentService.typeName, method, Buffer.from([0x0a, 1, 0xff]));
      await expect(call).rejects.toMatchObject({
        code: Code.INVALID_ARGUMENT,
        message: expect.stringContaining(`cannot read the request of ${method}`),
      });
      expect(peer.seen).toEqual([]);
    },
  );

  test('passes the other agent’s errors on as they are, and keeps nothing of that container', async () => {
    const client = await setUp('02/00');
    const blk = { type: 'blk', id: '04', containerPath: '/dev/xvda' };
    const refused = client.createContainer(container({ devices: [blk, mockDevice(0, '02/00')] }, [], nodes));
    await expect(refused).rejects.toMatchObject({
      code: Code.INTERNAL,
      message: 'Timeout after 3s waiting for uevent VirtioBlkPciMatcher',
    });
    const process = { Args: ['id'], Env: ['PCIDEVICE_X=0000:1a:00.0'] };
    await client.execProcess({ containerId: 'c1', execId: 'e1', process });
    const { payload } = peer.seen.at(-1) ?? { payload: new Uint8Array() };
    expect(fromBinary(ExecProcessRequestSchema, payload).process?.Env).toEqual(process.Env);
  });

  test.each([
    ['by its release', '4.1.0', [], true],
    ['by what it reports', '9.0.0', ['blk'], true],
    ['but a newer one that reports nothing judges for itself', '4.2.0', [], false],
    ['but one that reports it gets it', '3.21.0', ['blk', 'future'], false],
  ])('refuses a device type the other agent does not know, %s', async (_, version, deviceHandlers, isRefused) => {
    Object.assign(peer, { version, deviceHandlers });
    const client = await setUp('02/00');
    const refused = client.createContainer(
      container({ devices: [{ type: 'future', id: '1', containerPath: '/dev/x' }] }),
    );
    await expect(refused).rejects.toMatchObject(
      isRefused
        ? {
            code: Code.INVALID_ARGUMENT,
            message: expect.stringContaining('neither this proxy nor the agent behind it'),
          }
        : { code: Code.INTERNAL, message: 'Failed to find the device handler "future"' },
    );
    expect(peer.seen.some(({ method }) => method === 'CreateContainer')).toBe(!isRefused);
  });

  test('says that the agent is gone, also to calls under way, and serves again when it is back', async () => {
    const client = await setUp();
    await client.startContainer({ containerId: 'c1' });
    peer.blocks = 'WaitProcess';
    const waiting = client.waitProcess({ containerId: 'c1' });
    await expect.poll(() => peer.seen.at(-1)?.method, { timeout: 5_000 }).toBe('WaitProcess');
    peer.stop();
    await expect(waiting).rejects.toMatchObject({
      code: Code.UNAVAILABLE,
      message: `the agent at ${peer.address} went away during WaitProcess`,
    });
    for (let count = 0; count < 2; count++) {
      await expect(client.startContainer({ containerId: 'c1' })).rejects.toMatchObject({
        code: Code.UNAVAILABLE,
        message: expect.stringContaining(`the agent at ${peer.address} cannot be reached`),
      });
    }
    await peer.start();
    await client.startContainer({ containerId: 'c1' });
  });

  test('asks an agent that comes back for its version again', async () => {
    const client = await setUp('02/00');
    const ask = (containerId: string) =>
      client.createContainer({
        ...container({ devices: [mockDevice(0, '02/00')] }, ['PCIDEVICE_X=0000:1a:00.0'], nodes),
        containerId,
      });
    await ask('c1');
    expect(peer.containers.get('c1')?.devices).toHaveLength(1);
    peer.stop();
    await expect(client.startContainer({ containerId: 'c1' })).rejects.toMatchObject({ code: Code.UNAVAILABLE });
    peer.version = '3.32.0';
    await peer.start();
    await ask('c2');
    expect(peer.containers.get('c2')?.devices).toEqual([]);
  });

  test.each([
    ['of another kind only', 'nvidia.com/gpu=0', 'nvidia.com/gpu=0', []],
    ['of ours only', 'kata-mock.dev/accel=0', undefined, ['/dev/mock0']],
    ['of both', 'nvidia.com/gpu=0,1:kata-mock.dev/accel=0:a.b/c=all', 'nvidia.com/gpu=0,1:a.b/c=all', ['/dev/mock0']],
    ['that only the other agent can judge', 'nonsense', 'nonsense', []],
  ])('splits the variable VISIBLE_CDI_DEVICES %s', async (_, value, left, devices) => {
    const config = { devices: { ...defaultConfig.devices, visibleCdiDevices: true } };
    peer.version = '3.32.0';
    const client = await setUpWith(config, '02/00');
    await client.createContainer(container({}, ['A=1', `VISIBLE_CDI_DEVICES=${value}`, 'B=2']));
    const { Process, Linux } = peer.containers.get('c1')?.OCI ?? {};
    expect(Process?.Env.filter((entry) => !entry.startsWith('KATA_MOCK_'))).toEqual([
      ...['A=1', ...(left === undefined ? [] : [`VISIBLE_CDI_DEVICES=${left}`]), 'B=2'],
    ]);
    expect(Linux?.Devices.map(({ Path }) => Path)).toEqual(devices);
  });

  test('leaves that variable alone where it does not count', async () => {
    const client = await setUp('02/00');
    const env = ['VISIBLE_CDI_DEVICES=kata-mock.dev/accel=0'];
    await client.createContainer(container({}, env));
    expect(peer.containers.get('c1')?.OCI).toMatchObject({ Process: { Env: env }, Linux: { Devices: [] } });
  });

  test('hands on what it does not know of the entries of a request that it changes', async () => {
    await setUp('02/00');
    const rule = (Minor: bigint) => ({ Allow: true, Type: 'c', Major: 1n, Minor, Access: 'rwm' });
    const request = create(CreateContainerRequestSchema, {
      ...container({ devices: [mockDevice(0, '02/00')] }),
      OCI: {
        Version: '1',
        Process: { Args: ['x'], Cwd: '/' },
        Mounts: ['/b', '/a'].map((destination) => ({ destination, type: 'tmpfs', source: 'x' })),
        Linux: {
          Devices: [...nodes.Devices, { Path: '/dev/null', Type: 'c', Major: 1n, Minor: 9n }],
          Resources: { Devices: [rule(3n), rule(9n), rule(3n)] },
        },
      },
    } as never);
    const { Mounts = [], Linux } = request.OCI ?? {};
    const known = [...Mounts, ...(Linux?.Devices ?? []), ...(Linux?.Resources?.Devices ?? [])];
    for (const [index, message] of known.entries())
      message.$unknown = [{ no: 99, wireType: 0, data: Uint8Array.of(index + 1) }];
    await connection.raw(AgentService.typeName, 'CreateContainer', toBinary(CreateContainerRequestSchema, request));
    const passed = peer.containers.get('c1')?.OCI;
    const marks = (messages: readonly { $unknown?: readonly { data: Uint8Array }[] }[] = []) =>
      messages.map(({ $unknown }) => $unknown?.[0]?.data[0]);
    expect(marks(passed?.Mounts)).toEqual([1, 2]);
    expect(marks(passed?.Linux?.Devices)).toEqual([3, 4]);
    expect(passed?.Linux?.Devices[0]).toMatchObject({ Path: '/dev/mock0', Major: 240n, Minor: 0n });
    // The first and the third named the placeholder's host numbers, and one is new.
    expect(passed?.Linux?.Resources?.Devices.map(({ Major, Minor }) => `${Major}:${Minor}`)).toEqual([
      ...['240:0', '1:9', '240:0', '240:0'],
    ]);
    expect(marks(passed?.Linux?.Resources?.Devices)).toEqual([5, 6, 7, undefined]);
  });

  test('hands on every recorded request of a pod in a guest with a device but for the paths that hide it', async () => {
    await setUp('02/00');
    let containers = 0;
    for (const { method, descriptor, bytes } of recordedCalls()) {
      await connection.raw(AgentService.typeName, method, bytes);
      const passed = peer.seen.at(-1)?.payload ?? new Uint8Array();
      if (method !== 'CreateContainer') {
        expect(Buffer.compare(passed, bytes)).toBe(0);
        continue;
      }
      const request = fromBinary(CreateContainerRequestSchema, passed);
      const paths = request.OCI?.Linux?.MaskedPaths ?? [];
      expect(paths.splice(-2)).toEqual([
        '/sys/devices/pci0000:00/0000:00:02.0/0000:01:00.0',
        '/sys/firmware/qemu_fw_cfg',
      ]);
      expect(Buffer.compare(toBinary(descriptor, request), bytes)).toBe(0);
      containers++;
    }
    expect(containers).toBeGreaterThan(1);
  });

  test('passes every recorded request of a pod, which asks for none of our devices, byte for byte', async () => {
    await setUp();
    for (const { method, bytes } of recordedCalls()) {
      await connection.raw(AgentService.typeName, method, bytes);
      const passed = peer.seen.at(-1);
      expect(passed?.method).toBe(method);
      expect(Buffer.compare(Buffer.from(passed?.payload ?? []), bytes)).toBe(0);
    }
  });
});

/** The calls that a shim made to an agent. */
function recordedCalls() {
  const file = new URL('../../../test/fixtures/kata-3.21-cri-pod.jsonl', import.meta.url);
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.flatMap((line) => {
    const { method, request } = JSON.parse(line) as { method: string; request: JsonValue };
    const descriptor = AgentService.methods.find(({ name }) => name === method)?.input;
    if (!descriptor) return [];
    return [{ method, descriptor, bytes: Buffer.from(toBinary(descriptor, fromJson(descriptor, request))) }];
  });
}
