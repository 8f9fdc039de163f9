import { writeFileSync } from 'node:fs';
import { FakeTree } from '@kata-mock/pci/testing';
import { Cache } from 'cdi-spec';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { handleDevices } from '../handle.ts';
import { defaultSettings } from '../settings.ts';
import { explainRequest, formatExplanation, RootGuest, readRequest } from './index.ts';

let tree: FakeTree;
beforeEach(() => {
  tree = new FakeTree({
    roots: [
      {
        bus: '00',
        functions: [
          {
            at: '02.0',
            functions: [
              {
                at: '00.0',
                driver: 'mock-accel',
                mockAccel: { name: 'mock0', uuid: '11111111-1111-4111-8111-111111111111', node: '240:0' },
              },
            ],
          },
          { at: '03.0', functions: [{ at: '00.0', driver: 'nvidia', iommuGroup: '7' }] },
        ],
      },
    ],
  });
});
afterEach(() => tree.remove());

const explain = (request: object) => {
  const guest = new RootGuest(tree.root);
  const settings = { ...defaultSettings, hotplugTimeoutMs: 0, cdiTimeoutMs: 0 };
  const context = { guest, inventory: undefined, settings, cdiDirectory: `${tree.root}/var/run/cdi` };
  return explainRequest(context, readRequest(JSON.stringify(request)));
};
const request = (devices: object[], env: string[] = []) => ({
  containerId: 'c1',
  devices,
  OCI: {
    Version: '1.1.0',
    Process: { Args: ['true'], Cwd: '/', Env: env },
    Linux: {
      Devices: devices.map((device) => ({
        Path: (device as { containerPath: string }).containerPath,
        Type: 'c',
        Major: '1',
        Minor: '3',
      })),
    },
  },
});
const gpu = { type: 'mock-accel', id: '0', containerPath: '/dev/gpu', options: ['0000:1a:00.0=02/00'] };
const vfio = { type: 'vfio-pci', id: '4', containerPath: '/dev/vfio/4', options: ['0000:1b:00.0=03/00'] };

describe('explaining a request', () => {
  test('gives the plan, the addresses and the spec the container would get', async () => {
    const explanation = await explain(request([gpu], ['PCIDEVICE_X=0000:1a:00.0']));
    expect(explanation).toMatchObject({
      devices: [{ containerPath: '/dev/gpu', type: 'mock-accel', node: 'c 240:0' }],
      addresses: { '0000:1a:00.0': '0000:01:00.0' },
      guestSteps: [],
      spec: {
        process: { env: ['PCIDEVICE_X=0000:01:00.0'] },
        linux: { devices: [{ path: '/dev/gpu', major: 240, minor: 0 }] },
      },
    });
    expect(explanation.error).toBeUndefined();
  });

  test('prints it for people', async () => {
    const text = formatExplanation(await explain(request([gpu], ['PCIDEVICE_X=0000:1a:00.0'])));
    expect(text).toContain('container c1\ndevices\n  /dev/gpu  mock-accel  c 240:0\n');
    expect(text).toContain('  0000:1a:00.0 -> 0000:01:00.0\n');
    expect(text).toContain('  set /dev/gpu to major=240 minor=0  (device of the request)\n');
    expect(text).toContain('  set PCIDEVICE_X=0000:01:00.0  (host addresses)');
  });

  test('touches nothing: a rebind is a step that is told, and its node is pending', async () => {
    const explanation = await explain(request([vfio]));
    expect(explanation.guestSteps).toMatchObject([
      { kind: 'bind-driver', address: '0000:02:00.0', driver: 'vfio-pci' },
    ]);
    expect(explanation.pending).toEqual(['/dev/vfio/4']);
  });

  test('tells the error with its code where the agent would fail', async () => {
    const explanation = await explain(request([{ ...gpu, options: ['0000:1a:00.0=05/00'] }]));
    expect(explanation.error?.code).toBe('DEVICE_NOT_FOUND');
    expect(formatExplanation(explanation)).toContain('DEVICE_NOT_FOUND: no PCI device at "05/00"');
  });
});

describe('an error of the agent', () => {
  const missing = { type: 'nvdimm', id: '', vmPath: '/dev/pmem9', containerPath: '/dev/x' };
  const odd = { ...missing, vmPath: '/dev/odd' };
  test.each([
    ['a node that is not there', missing],
    ['a node that is no device', odd],
    ['a place that is none', { type: 'blk', id: 'xyz', containerPath: '/dev/x' }],
    ['a type nobody knows', { type: 'future', id: '1', containerPath: '/dev/x' }],
  ])('is that of an explanation, word for word: %s', async (_, device) => {
    writeFileSync(`${tree.dev}/odd`, 'text');
    const specDirectory = `${tree.root}/var/run/cdi`;
    const agent = await handleDevices(
      {
        guest: new RootGuest(tree.root),
        inventory: undefined,
        settings: { ...defaultSettings, hotplugTimeoutMs: 0 },
        cdi: { cache: new Cache({ specDirs: [specDirectory], autoRefresh: false }), specDirectory },
        warn: () => {},
      },
      readRequest(JSON.stringify(request([device]))),
    ).catch(({ code, message }) => ({ code, message }));
    const { error } = await explain(request([device]));
    expect(error?.code).toMatch(/^(NODE_NOT_FOUND|INVALID_REQUEST|UNKNOWN_TYPE)$/);
    expect(error).toEqual(agent);
  });
});

describe('reading a request', () => {
  test('takes a line of a recording', () => {
    const line = JSON.stringify({ t: 0.1, method: 'CreateContainer', request: request([gpu]) });
    expect(readRequest(line).devices).toMatchObject([{ type: 'mock-accel', containerPath: '/dev/gpu' }]);
  });

  test.each([
    ['{', 'the request is not JSON'],
    ['{"method":"StartContainer","request":{}}', 'the request is a "StartContainer"'],
    ['[]', 'not a CreateContainer request'],
    ['{"OCI": 5}', 'not a CreateContainer request'],
    ['{"containerId":"x"}', 'container x comes without an OCI spec'],
  ])('refuses %s', (text, message) => {
    expect(() => readRequest(text)).toThrow(
      expect.objectContaining({ code: 'INVALID_REQUEST', message: expect.stringContaining(message) }),
    );
  });
});
