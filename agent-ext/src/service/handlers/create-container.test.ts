import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { create } from '@bufbuild/protobuf';
import { CreateContainerRequestSchema } from '@kata-mock/contracts';
import type { HandlerContext } from 'ttrpc-ts';
import { afterEach, describe, expect, test } from 'vitest';
import type { Agent } from '../../agent.ts';
import type { StorageDriver } from '../../storage/storage.ts';
import { Storages } from '../../storage/storages.ts';
import { type FakeAgent, fakeAgent, mockTree } from '../../testing/fake-agent.ts';
import { FakeRunc } from '../../testing/fake-runc.ts';
import { createContainer } from './create-container.ts';

/** Storages whose mounts are directories, and one kind that cannot be mounted. */
const nothing: StorageDriver = { names: ['nothing'], mount: async () => undefined };
const directories: StorageDriver = {
  names: ['local'],
  mount: async (_, { mountPoint }) => {
    mkdirSync(mountPoint, { recursive: true });
    return undefined;
  },
};
const broken: StorageDriver = {
  names: ['broken'],
  mount: () => {
    throw new Error('no such device');
  },
};

let fake: FakeAgent;
afterEach(() => fake?.remove());

function setUp(signal = new AbortController().signal) {
  const runc = new FakeRunc();
  const { tree, inventory } = mockTree('02/00');
  fake = fakeAgent({ tree, inventory, parts: { runc: runc.runc } });
  const storages = new Storages(
    { guest: fake.guest, base: fake.agent.paths.base, state: fake.agent.paths.state, hotplugTimeoutMs: 10 },
    [directories, nothing, broken],
  );
  mkdirSync(path.join(fake.agent.paths.base, 'rootfs'));
  symlinkSync('/etc', path.join(fake.agent.paths.base, 'link'));
  const agent: Agent = { ...fake.agent, storages };
  const call = (change: object = {}) =>
    createContainer(agent)(create(CreateContainerRequestSchema, request(agent, change)), { signal } as HandlerContext);
  return { agent, runc, storages, call };
}

const request = (agent: Agent, change: object) => ({
  containerId: 'c1',
  execId: 'c1',
  storages: [{ driver: 'local', mountPoint: path.join(agent.paths.base, 'volume') }],
  OCI: {
    Version: '1.1.0',
    Process: { Args: ['true'], Cwd: '/', Env: ['A=1'] },
    Root: { Path: path.join(agent.paths.base, 'rootfs') },
    Linux: { Devices: [{ Path: '/dev/mock0', Type: 'c', Major: 1n, Minor: 3n }] },
  },
  ...change,
});

describe('creating a container', () => {
  test('adds it with its address map and its storages', async () => {
    const { agent, runc, storages, call } = setUp();
    await call();
    expect(runc.containers).toEqual(['c1']);
    expect([...agent.sandbox.get('c1').parts.addresses]).toEqual([['0000:1a:00.0', '0000:01:00.0']]);
    expect(storages.mountPoints).toEqual([path.join(agent.paths.base, 'volume')]);
    expect(existsSync(path.join(agent.paths.base, 'volume'))).toBe(true);
  });

  test('that keeps a shared storage leaves it to those to come; one that fails does not', async () => {
    const { agent, runc, storages, call } = setUp();
    const mountPoint = path.join(agent.paths.base, 'volume');
    const change = { storages: [{ driver: 'local', mountPoint, shared: true }] };
    runc.fails = true;
    await expect(call(change)).rejects.toThrow();
    expect(storages.mountPoints).toEqual([]);
    runc.fails = false;
    await call(change);
    for (const key of agent.sandbox.get('c1').parts.storages) await storages.release(key);
    expect(storages.mountPoints).toEqual([mountPoint]);
    await storages.releaseAll(() => {});
    expect(storages.mountPoints).toEqual([]);
  });

  test('twice with one id is refused', async () => {
    const { call } = setUp();
    await call();
    await expect(call()).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  });

  test('twice at the same time is refused for the second', async () => {
    const { call } = setUp();
    const [one, two] = await Promise.allSettled([call(), call()]);
    expect([one.status, two.status].sort()).toEqual(['fulfilled', 'rejected']);
  });

  const OCI = (change: object) => ({ OCI: { ...request({ paths: { base: 'BASE' } } as Agent, {}).OCI, ...change } });
  test.each([
    ['shared mounts', { sharedMounts: [{ name: 'x', srcCtr: 'c0', srcPath: '/a', dstCtr: 'c1', dstPath: '/b' }] }],
    ['ports of its streams', { stdoutPort: 7 }],
    ['devices', { devices: [{ type: 'mock-accel', id: 'nobody', containerPath: '/dev/x' }] }],
    ['environment', OCI({ Process: { Args: ['true'], Cwd: '/', Env: ['PCIDEVICE_X=0000:99:00.0'] } })],
    ['CDI', OCI({ Annotations: { 'cdi.k8s.io/x': 'kata-mock.dev/accel=7' } })],
    ['CDI of another kind', OCI({ Annotations: { 'cdi.k8s.io/x': 'acme.io/gpu=7' } })],
    [
      'second storage',
      {
        storages: [
          { driver: 'local', mountPoint: 'BASE/volume' },
          { driver: 'broken', mountPoint: 'BASE/other' },
        ],
      },
    ],
    ['storage’s group', { storages: [{ driver: 'nothing', mountPoint: 'BASE/not-made', fsGroup: { groupId: 7 } }] }],
    ['unknown storage', { storages: [{ driver: 'floppy', mountPoint: 'BASE/other' }] }],
    ['root path', OCI({ Root: { Path: '../etc' } })],
    ['root path outside', OCI({ Root: { Path: '/etc' } })],
    ['root behind a link', OCI({ Root: { Path: 'BASE/link' } })],
    ['root that is not there', OCI({ Root: { Path: 'BASE/missing' } })],
    ['cgroup', OCI({ Linux: { CgroupsPath: '/a/../../b' } })],
    ['runtime', { fails: true }],
    ['deadline', { late: true }],
  ])('that fails at its %s leaves the sandbox as it was, and the next one succeeds', async (_, change) => {
    const { fails, late, ...fields } = change as { fails?: boolean; late?: boolean };
    const caller = new AbortController();
    const { agent, runc, storages, call } = setUp(caller.signal);
    runc.fails = fails === true;
    if (late) caller.abort(new Error('deadline'));
    const text = JSON.stringify(fields, (_key, value) => (typeof value === 'bigint' ? `${value}n` : value)).replaceAll(
      'BASE',
      agent.paths.base,
    );
    const parsed = JSON.parse(text, (_key, value) =>
      typeof value === 'string' && /^\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value,
    );
    await expect(call(parsed)).rejects.toThrow();
    expect(agent.sandbox.containers).toEqual([]);
    expect(runc.containers).toEqual([]);
    expect(storages.mountPoints).toEqual([]);
    runc.fails = false;
    if (!late) await call();
  });
});
