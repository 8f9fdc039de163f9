import { create } from '@bufbuild/protobuf';
import { StorageSchema } from '@kata-mock/contracts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Storages } from '../../storage/storages.ts';
import { type FakeAgent, fakeAgent } from '../../testing/fake-agent.ts';
import { discard } from './remove-container.ts';

let fake: FakeAgent;
beforeEach(() => {
  fake = fakeAgent();
});
afterEach(() => fake.remove());

test('storages go newest first: they may be mounted inside each other', async () => {
  const { base } = fake.agent.paths;
  const gone: string[] = [];
  const driver = {
    names: ['local'],
    mount:
      (_: unknown, { mountPoint }: { mountPoint: string }) =>
      () =>
        void gone.push(mountPoint),
  };
  const storages = new Storages({ guest: fake.guest, base, hotplugTimeoutMs: 10 }, [driver]);
  const places = [`${base}/outer`, `${base}/outer/in`, `${base}/outer/in/most`];
  for (const mountPoint of places) await storages.acquire(create(StorageSchema, { driver: 'local', mountPoint }));
  const runc = { delete: async () => {}, removeBundle: () => {} };
  const container = {
    id: 'c',
    removing: () => {},
    init: { wait: async () => 0 },
    processes: () => [],
    parts: { storages: places },
  };
  await discard({ ...fake.agent, storages, runc } as never, container as never);
  expect(gone).toEqual([...places].reverse());
});
