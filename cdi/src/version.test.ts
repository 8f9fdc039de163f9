import { describe, expect, it } from 'vitest';
import { spec } from '../test-support/directories.ts';
import type { CdiSpec, ContainerEdits } from './types.ts';
import { validateCdiSpec } from './validate.ts';
import { requiredVersion, VERSIONS, versionIndex } from './version.ts';

const env = { env: ['A=1'] };
const onDevice = (edits: ContainerEdits): CdiSpec => spec({ dev: { ...env, ...edits } });
const onSpec = (edits: ContainerEdits): CdiSpec => spec({ dev: env }, { containerEdits: edits });

const table: [string, CdiSpec, string][] = [
  ['the least spec', onDevice({}), '0.3.0'],
  ['a mount without type', onDevice({ mounts: [{ hostPath: '/a', containerPath: '/b' }] }), '0.3.0'],
  ['a mount with an empty type', onDevice({ mounts: [{ hostPath: '/a', containerPath: '/b', type: '' }] }), '0.3.0'],
  ['a mount with a type', onDevice({ mounts: [{ hostPath: '/a', containerPath: '/b', type: 'bind' }] }), '0.4.0'],
  [
    'a mount with a type for the whole spec',
    onSpec({ mounts: [{ hostPath: '/a', containerPath: '/b', type: 'bind' }] }),
    '0.4.0',
  ],
  ['a hostPath', onDevice({ deviceNodes: [{ path: '/a', hostPath: '/b' }] }), '0.5.0'],
  ['a hostPath for the whole spec', onSpec({ deviceNodes: [{ path: '/a', hostPath: '/b' }] }), '0.5.0'],
  ['a device name that starts with a digit', spec(['0dev']), '0.5.0'],
  ['a device name with a digit elsewhere', spec(['dev0']), '0.3.0'],
  ['annotations', spec(['dev'], { annotations: { a: 'b' } }), '0.6.0'],
  ['no annotations', spec(['dev'], { annotations: {} }), '0.3.0'],
  [
    'annotations of a device',
    { ...spec([]), devices: [{ name: 'd', annotations: { a: 'b' }, containerEdits: env }] },
    '0.6.0',
  ],
  ['a dot in the class', spec(['dev'], { kind: 'vendor.com/cl.ass' }), '0.6.0'],
  ['a dot in the vendor', spec(['dev'], { kind: 'vendor.com/class' }), '0.3.0'],
  ['intelRdt', onDevice({ intelRdt: {} }), '0.7.0'],
  ['additionalGids', onSpec({ additionalGids: [5] }), '0.7.0'],
  ['no additionalGids', onDevice({ additionalGids: [] }), '0.3.0'],
  ['netDevices', onDevice({ netDevices: [{ hostInterfaceName: 'a', name: 'b' }] }), '1.1.0'],
  ['schemata, be they none', onDevice({ intelRdt: { schemata: [] } }), '1.1.0'],
  ['enableMonitoring', onSpec({ intelRdt: { enableMonitoring: true } }), '1.1.0'],
  ['enableMonitoring switched off', onDevice({ intelRdt: { enableMonitoring: false } }), '0.7.0'],
  [
    'the newest of several',
    onDevice({ additionalGids: [1], netDevices: [{ hostInterfaceName: 'a', name: 'b' }] }),
    '1.1.0',
  ],
];

describe('requiredVersion', () => {
  it.each(table)('of %s', (_, content, version) => {
    expect(requiredVersion(content).version).toBe(version);
  });

  it('is 1.2.0 for proposals, and only where they are known', () => {
    const content = onDevice({ deviceNodes: [{ path: '/dev/x*' }] });
    expect(requiredVersion(content).version).toBe('0.3.0');
    expect(requiredVersion(content, true).version).toBe('1.2.0');
  });
});

describe('the declared version', () => {
  it.each(table)('must suffice for %s', (_, content, version) => {
    const released = VERSIONS.slice(2);
    for (const declared of released) {
      const check = () => validateCdiSpec({ ...content, cdiVersion: declared });
      if (versionIndex(declared) >= versionIndex(version)) expect(check).not.toThrow();
      else expect(check).toThrow(`the spec version must be at least v${version}`);
    }
  });

  it.each(['0.1.0', '0.2.0'])('%s is known and always too low', (cdiVersion) => {
    expect(() => validateCdiSpec(spec(['d'], { cdiVersion }))).toThrow('must be at least v0.3.0');
  });

  it.each(['', '0.3', '1.2.0', '1.1', 'vv1.1.0', '1.1.0-rc1', 'latest', '0.9.0'])('%j is none', (cdiVersion) => {
    expect(() => validateCdiSpec(spec(['d'], { cdiVersion }))).toThrow(`invalid version ${JSON.stringify(cdiVersion)}`);
  });

  it('may begin with one "v"', () => {
    expect(() => validateCdiSpec(spec(['d'], { cdiVersion: 'v0.6.0' }))).not.toThrow();
  });

  it('1.2.0 is known with the proposals', () => {
    expect(() => validateCdiSpec(spec(['d'], { cdiVersion: '1.2.0' }), { proposals: true })).not.toThrow();
  });
});
