import { describe, expect, it } from 'vitest';
import { directory, put, spec } from '../test-support/directories.ts';
import { CdiError } from './errors.ts';
import { readCdiSpec } from './load/file.ts';
import { validateCdiSchema } from './schema/schema.ts';

/** Each goes through a file, as JSON, so that decoding and rules are tested together. */
function load(content: object, options = {}) {
  return readCdiSpec(put(directory(), 'spec.json', content), options);
}
const edits = (containerEdits: object) => spec({ dev: containerEdits as never });

describe('a spec', () => {
  it.each<[string, object]>([
    [
      'a device node with all there is',
      edits({
        deviceNodes: [
          {
            path: '/d',
            hostPath: '/h',
            type: 'c',
            major: 1,
            minor: 2,
            fileMode: 384,
            permissions: 'rwm',
            uid: 0,
            gid: 4294967295,
          },
        ],
      }),
    ],
    ['every device type', edits({ deviceNodes: ['', 'b', 'c', 'u', 'p'].map((type) => ({ path: '/d', type })) })],
    [
      'permissions of every kind',
      edits({
        deviceNodes: ['', 'r', 'w', 'm', 'rw', 'mrw', 'rrr', 'none'].map((permissions) => ({
          path: '/d',
          permissions,
        })),
      }),
    ],
    [
      'numbers at the limits',
      edits({ deviceNodes: [{ path: '/d', major: -9007199254740991, minor: 9007199254740991 }] }),
    ],
    ['an environment variable without value', edits({ env: ['A=', 'B==', 'C=a=b'] })],
    [
      'every hook',
      edits({
        hooks: ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'].map(
          (hookName) => ({ hookName, path: 'relative', args: ['a'], env: ['A=b'], timeout: -1 }),
        ),
      }),
    ],
    [
      'a mount with options',
      edits({ mounts: [{ hostPath: '/a', containerPath: 'b', options: ['ro'], type: 'bind' }] }),
    ],
    ['a root closID', edits({ intelRdt: { closID: '/' } })],
    [
      'a long closID',
      edits({
        intelRdt: {
          closID: 'a'.repeat(4095),
          l3CacheSchema: 'x',
          memBwSchema: 'y',
          schemata: ['z'],
          enableMonitoring: true,
        },
      }),
    ],
    ['an empty intelRdt', edits({ intelRdt: {} })],
    ['group ids', edits({ additionalGids: [0, 1, 4294967295] })],
    [
      'network devices',
      edits({
        netDevices: [
          { hostInterfaceName: 'eth0', name: 'a' },
          { hostInterfaceName: 'eth1', name: 'b' },
        ],
      }),
    ],
    ['edits of the spec that are empty', { ...spec(['d']), containerEdits: {} }],
    ['null for what is absent', { ...spec(['d']), annotations: null, containerEdits: { env: null, intelRdt: null } }],
    [
      'members in another case',
      { CDIVERSION: '0.6.0', Kind: 'v/c', Devices: [{ NAME: 'd', containeredits: { ENV: ['A=1'] } }] },
    ],
    ['annotations', { ...spec(['d']), annotations: { 'example.com/a_b.C': 'x', plain: '' } }],
  ])('may have %s', (_, content) => {
    const loaded = load(content);
    expect(loaded.devices.length).toBeGreaterThan(0);
    expect(() => validateCdiSchema(loaded)).not.toThrow();
  });

  it.each<[string, unknown, string]>([
    ['be null', null, 'the file is empty'],
    ['be a list', [], 'must be an object, found a list'],
    ['lack a version', { kind: 'v/c', devices: [] }, '"cdiVersion" is missing'],
    ['lack a kind', { cdiVersion: '1.1.0', devices: [] }, '"kind" is missing'],
    ['lack devices', { cdiVersion: '1.1.0', kind: 'v/c' }, '"devices" is missing'],
    ['have no device', spec([]), 'a spec needs at least one device'],
    ['have a kind without vendor', spec(['d'], { kind: 'gpu' }), 'invalid vendor ""'],
    ['have a kind without class', spec(['d'], { kind: 'v/' }), 'invalid class ""'],
    ['have a bad vendor', spec(['d'], { kind: 'v_/c' }), 'at $.kind: invalid vendor "v_"'],
    [
      'have a device twice',
      { ...spec([]), devices: [...spec(['d', 'e']).devices, ...spec(['d']).devices] },
      'at $.devices[2].name: device "d" is there twice',
    ],
    [
      'have a device without name',
      { ...spec([]), devices: [{ containerEdits: { env: ['A=1'] } }] },
      'at $.devices[0]: "name" is missing',
    ],
    ['have a device with a bad name', spec(['-d']), 'at $.devices[0].name: invalid device name "-d"'],
    ['have a device without edits', { ...spec([]), devices: [{ name: 'd' }] }, '"containerEdits" is missing'],
    ['have a device with empty edits', edits({}), 'device "dev" has no edits'],
    [
      'have a device with empty lists of edits',
      edits({ env: [], mounts: [], additionalGids: [] }),
      'device "dev" has no edits',
    ],
    ['have an unknown member', { ...spec(['d']), vendor: 'x' }, 'unknown member "vendor"; known are cdiVersion'],
    [
      'have an unknown member deep inside',
      edits({ deviceNodes: [{ path: '/d', mode: 1 }] }),
      'at $.devices[0].containerEdits.deviceNodes[0]: unknown member "mode"',
    ],
    ['use what 1.1.0 removed', edits({ intelRdt: { enableCMT: true } }), 'use "enableMonitoring"'],
    ['give a member twice in two cases', { ...spec(['d']), Kind: 'v/c' }, 'the same member, given twice'],
    [
      'have a variable without "="',
      edits({ env: ['A'] }),
      'at $.devices[0].containerEdits.env[0]: invalid environment variable "A"',
    ],
    ['have a variable without name', edits({ env: ['=A'] }), 'invalid environment variable "=A"'],
    ['have a device node without path', edits({ deviceNodes: [{ type: 'c' }] }), 'invalid (empty) device path'],
    ['have a device node of another type', edits({ deviceNodes: [{ path: '/d', type: 'cc' }] }), 'invalid type "cc"'],
    ['have other permissions', edits({ deviceNodes: [{ path: '/d', permissions: 'rx' }] }), 'invalid permissions "rx"'],
    [
      'have permissions of none and more',
      edits({ deviceNodes: [{ path: '/d', permissions: 'nonerw' }] }),
      'invalid permissions',
    ],
    [
      'have a negative uid',
      edits({ deviceNodes: [{ path: '/d', uid: -1 }] }),
      'must be an integer from 0 to 4294967295, found -1',
    ],
    ['have a uid beyond 32 bits', edits({ deviceNodes: [{ path: '/d', gid: 4294967296 }] }), 'from 0 to 4294967295'],
    ['have a fraction for a number', edits({ deviceNodes: [{ path: '/d', major: 1.5 }] }), 'must be an integer'],
    [
      'have text for a number',
      edits({ deviceNodes: [{ path: '/d', major: '1' }] }),
      'at $.devices[0].containerEdits.deviceNodes[0].major: must be an integer',
    ],
    ['have an unknown hook', edits({ hooks: [{ hookName: 'preStart', path: '/x' }] }), 'invalid hook name "preStart"'],
    ['have a hook without name', edits({ hooks: [{ path: '/x' }] }), 'invalid hook name'],
    ['have a hook without path', edits({ hooks: [{ hookName: 'prestart', path: '' }] }), 'invalid (empty) path'],
    [
      'have a hook with a bad variable',
      edits({ hooks: [{ hookName: 'prestart', path: '/x', env: ['A'] }] }),
      'invalid environment variable "A"',
    ],
    ['have a mount from nowhere', edits({ mounts: [{ containerPath: '/x' }] }), 'empty hostPath'],
    ['have a mount to nowhere', edits({ mounts: [{ hostPath: '/x', containerPath: '' }] }), 'empty containerPath'],
    ['have closID "."', edits({ intelRdt: { closID: '.' } }), 'invalid closID "."'],
    ['have closID ".."', edits({ intelRdt: { closID: '..' } }), 'invalid closID'],
    ['have a closID with "/"', edits({ intelRdt: { closID: 'a/b' } }), 'invalid closID'],
    ['have a closID with a line break', edits({ intelRdt: { closID: 'a\nb' } }), 'invalid closID'],
    ['have a closID of 4096 bytes', edits({ intelRdt: { closID: 'a'.repeat(4096) } }), 'invalid closID'],
    [
      'have a flag that is none',
      edits({ intelRdt: { enableMonitoring: 'yes' } }),
      'must be true or false, found "yes"',
    ],
    [
      'have a group beyond 32 bits',
      edits({ additionalGids: [4294967296] }),
      'at $.devices[0].containerEdits.additionalGids[0]',
    ],
    ['have a network device without name', edits({ netDevices: [{ hostInterfaceName: 'a' }] }), 'invalid (empty) name'],
    [
      'have a network device of no interface',
      edits({ netDevices: [{ name: 'a' }] }),
      'invalid (empty) hostInterfaceName',
    ],
    [
      'take an interface twice',
      edits({
        netDevices: [
          { hostInterfaceName: 'a', name: 'x' },
          { hostInterfaceName: 'a', name: 'y' },
        ],
      }),
      '"a" is there twice',
    ],
    [
      'name two interfaces alike',
      edits({
        netDevices: [
          { hostInterfaceName: 'a', name: 'x' },
          { hostInterfaceName: 'b', name: 'x' },
        ],
      }),
      'two network devices are named "x"',
    ],
    [
      'have bad edits for the whole spec',
      { ...spec(['d']), containerEdits: { env: ['A'] } },
      'at $.containerEdits.env[0]',
    ],
    [
      'use a proposal',
      { ...edits({ deviceCgroupRules: [{ type: 'c', major: 1 }] }), cdiVersion: '1.2.0' },
      'unknown member "deviceCgroupRules"',
    ],
    [
      'have a bad annotation key',
      spec(['d'], { annotations: { 'bad key!': 'x' } }),
      'invalid annotation key "bad key!"',
    ],
    ['have an annotation key of three parts', spec(['d'], { annotations: { 'a/b/c': 'x' } }), 'more than one "/"'],
    ['have an annotation key without name', spec(['d'], { annotations: { 'a.b/': 'x' } }), 'the name is empty'],
    [
      'have an annotation name of 64 letters',
      spec(['d'], { annotations: { ['n'.repeat(64)]: 'x' } }),
      'more than 63 characters',
    ],
    [
      'have an annotation domain of 254 letters',
      spec(['d'], { annotations: { [`${'n'.repeat(254)}/a`]: 'x' } }),
      'more than 253 characters',
    ],
    ['have an annotation domain that is none', spec(['d'], { annotations: { 'a_b/c': 'x' } }), 'must be a DNS name'],
    [
      'have annotations of 256 KiB and more',
      spec(['d'], { annotations: { a: 'x'.repeat(262_144) } }),
      'annotations of 262145 bytes, 262144 at most',
    ],
  ])('must not %s', (_, content, reason) => {
    expect(() => load(content as object)).toThrow(reason);
    expect(() => load(content as object)).toThrow(CdiError);
  });

  it('may have any annotations with compat go, as the reference never looks at them', () => {
    expect(() => load(spec(['d'], { annotations: { 'bad key!': 'x' } }), { compat: 'go' })).not.toThrow();
  });

  it('may annotate up to the limit', () => {
    expect(() => load(spec(['d'], { annotations: { a: 'x'.repeat(262_143), [`${'n'.repeat(253)}/a`]: '' } }))).toThrow(
      'bytes',
    );
    expect(() => load(spec(['d'], { annotations: { a: 'x'.repeat(262_143) } }))).not.toThrow();
  });
});
