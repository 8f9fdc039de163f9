import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ContainerRequest, defaultSettings, handleDevices } from '@kata-mock/devices';
import { TreeGuest } from '@kata-mock/devices/scenarios';
import { FakeTree } from '@kata-mock/pci/testing';
import { Cache, type CdiSpec } from 'cdi-spec';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mockTree, uuidOf } from '../testing/fake-agent.ts';
import { GuestCdi } from './guest-cdi.ts';

let directory: string;
let tree: FakeTree;
let cdi: GuestCdi;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'guest-cdi-'));
});
afterEach(() => {
  cdi.close();
  tree.remove();
  rmSync(directory, { recursive: true });
});

/** A guest with one device, and a second one to come, whose file is kept by events alone. */
function guestWith(arrives: 'late' | 'silent') {
  const { tree: description, inventory } = mockTree('02/00', '03/00');
  const [first, second] = description.roots[0]?.functions ?? [];
  tree = new FakeTree({
    roots: [
      { bus: '00', functions: [first as object, { ...second, arrives }] as (typeof description.roots)[0]['functions'] },
    ],
  });
  const guest = new TreeGuest(tree, 'x86_64', arrives === 'silent' ? 1 : Number.POSITIVE_INFINITY);
  const errors: unknown[] = [];
  cdi = new GuestCdi(guest, { version: 1, devices: inventory }, directory, (error) => errors.push(error));
  return { guest, inventory: { version: 1 as const, devices: inventory }, errors };
}

const file = () => path.join(directory, 'kata-mock.json');
const names = () => (JSON.parse(readFileSync(file(), 'utf8')) as CdiSpec).devices.map(({ name }) => name);

describe('the CDI spec of a guest', () => {
  test('follows the events of devices that come and go, and goes with the last', () => {
    const { errors } = guestWith('late');
    expect(names()).toEqual(['0', uuidOf(0), 'all']);
    tree.arrive();
    expect(names()).toEqual(['0', uuidOf(0), '1', uuidOf(1), 'all']);
    tree.unplug('0000:01:00.0');
    expect(names()).toEqual(['1', uuidOf(1), 'all']);
    tree.unplug('0000:02:00.0');
    expect(existsSync(file())).toBe(false);
    expect(errors).toEqual([]);
  });

  test.each(['late', 'silent'] as const)(
    'has a device that comes %s in time for the container that asks',
    async (arrives) => {
      const { guest, inventory } = guestWith(arrives);
      const request: ContainerRequest = {
        containerId: 'c1',
        devices: [],
        spec: { ociVersion: '1.1.0', annotations: { 'cdi.k8s.io/x': 'kata-mock.dev/accel=1' }, linux: {} },
      };
      const handled = handleDevices(
        {
          guest,
          inventory,
          settings: { ...defaultSettings, hotplugTimeoutMs: 60_000 },
          cdi: {
            cache: new Cache({ specDirs: [directory], autoRefresh: false }),
            specDirectory: directory,
            ensure: (devices) => cdi.ensure(devices),
          },
          warn: () => {},
        },
        request,
      );
      tree.arrive();
      const { linux } = (await handled).editor.result();
      expect(linux?.devices).toMatchObject([{ path: '/dev/mock1', major: 240, minor: 0 }]);
    },
  );
});
