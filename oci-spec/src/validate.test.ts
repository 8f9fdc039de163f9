import { describe, expect, it } from 'vitest';
import { SpecError } from './errors.ts';
import { validateSpec } from './validate.ts';

const base = { ociVersion: '1.2.0' };
const linux = (part: object) => ({ ...base, linux: part });
const resources = (part: object) => linux({ resources: part });
const process = (part: object) => ({ ...base, process: { cwd: '/', ...part } });

describe('validateSpec', () => {
  it.each([
    ['the least there can be', base],
    [
      'unknown members anywhere',
      { ...base, future: { a: 1 }, linux: { future: [], devices: [{ path: '/d', type: 'c', x: 1 }] } },
    ],
    ['numbers up to the limits of 64 bits', resources({ memory: { limit: -(2n ** 63n), swappiness: 2n ** 64n - 1n } })],
    ['unlimited memory', resources({ memory: { limit: -1 } })],
    ['a fifo without numbers', linux({ devices: [{ path: '/p', type: 'p' }] })],
    ['network devices of 1.3', linux({ netDevices: { eth0: { name: 'net0' }, eth1: {} } })],
    [
      'a memory policy of 1.3',
      linux({ memoryPolicy: { mode: 'MPOL_BIND', nodes: '0-1', flags: ['MPOL_F_STATIC_NODES'] } }),
    ],
    ['RDT monitoring of 1.3', linux({ intelRdt: { closID: 'a', schemata: ['L3:0=f'], enableMonitoring: true } })],
    ['time offsets', linux({ timeOffsets: { monotonic: { secs: -5, nanosecs: 1 } } })],
    ['CPU affinity of 1.2.1', process({ execCPUAffinity: { initial: '0', final: '1-3' } })],
    [
      'a scheduler',
      process({ scheduler: { policy: 'SCHED_DEADLINE', runtime: 2n ** 60n, flags: ['SCHED_FLAG_RECLAIM'] } }),
    ],
    [
      'a seccomp filter',
      linux({
        seccomp: {
          defaultAction: 'SCMP_ACT_ERRNO',
          architectures: ['SCMP_ARCH_RISCV64'],
          syscalls: [
            {
              names: ['read'],
              action: 'SCMP_ACT_ALLOW',
              args: [{ index: 0, value: 2n ** 64n - 1n, op: 'SCMP_CMP_EQ' }],
            },
          ],
        },
      }),
    ],
    ['a virtual machine', { ...base, vm: { kernel: { path: '/k' }, image: { path: '/i', format: 'raw' } } }],
    ['other platforms unseen', { ...base, windows: { layerFolders: [1] }, freebsd: {} }],
  ])('takes %s', (_, spec) => {
    expect(() => validateSpec(spec)).not.toThrow();
  });

  it.each([
    ['no version', {}, '"ociVersion" is missing'],
    ['text for the whole', 'spec', 'must be an object, found "spec"'],
    ['a version that is no text', { ociVersion: 1 }, '$.ociVersion: must be a string, found 1'],
    ['a process without directory', { ...base, process: {} }, '$.process: "cwd" is missing'],
    ['an entry that is no text', process({ env: ['A=1', 2] }), '$.process.env[1]: must be a string, found 2'],
    [
      'a negative user',
      process({ user: { uid: -1, gid: 0 } }),
      '$.process.user.uid: must be an integer from 0 to 4294967295, found -1',
    ],
    [
      'a fraction',
      process({ oomScoreAdj: 1.5 }),
      '$.process.oomScoreAdj: must be an integer from -2147483648 to 2147483647, found 1.5',
    ],
    [
      'a number that JSON.parse has rounded',
      resources({ memory: { limit: 2 ** 53 } }),
      '$.linux.resources.memory.limit: must be an integer',
    ],
    [
      'one more than 64 bits',
      resources({ cpu: { shares: 2n ** 64n } }),
      '$.linux.resources.cpu.shares: must be an integer from 0 to 18446744073709551615, found 18446744073709551616',
    ],
    [
      'a big number where 16 bits go',
      resources({ blockIO: { weight: 65536n } }),
      '$.linux.resources.blockIO.weight: must be an integer from 0 to 65535',
    ],
    ['a device without path', linux({ devices: [{ type: 'c' }] }), '$.linux.devices[0]: "path" is missing'],
    [
      'a device of no known type',
      linux({ devices: [{ path: '/d', type: 'x' }] }),
      '$.linux.devices[0].type: must be one of "b", "c", "p", "u", found "x"',
    ],
    [
      'a namespace of no known type',
      linux({ namespaces: [{ type: 'net' }] }),
      '$.linux.namespaces[0].type: must be one of',
    ],
    ['a mount without place', { ...base, mounts: [{ source: '/a' }] }, '$.mounts[0]: "destination" is missing'],
    ['a list that is none', { ...base, mounts: {} }, '$.mounts: must be an array, found an object'],
    [
      'an annotation that is no text',
      { ...base, annotations: { 'a.b/c': 1 } },
      '$.annotations["a.b/c"]: must be a string, found 1',
    ],
    ['a hook without path', { ...base, hooks: { prestart: [{}] } }, '$.hooks.prestart[0]: "path" is missing'],
    [
      'a group beyond 32 bits',
      process({ user: { uid: 0, gid: 0, additionalGids: [1, 2 ** 32] } }),
      '$.process.user.additionalGids[1]: must be an integer from 0 to 4294967295',
    ],
    ['null', { ...base, linux: null }, '$.linux: must be an object, found null'],
    ['a very long value', { ...base, hostname: ['x'], domainname: 1 }, '$.hostname: must be a string, found an array'],
  ])('refuses %s', (_, spec, message) => {
    expect(() => validateSpec(spec)).toThrow(SpecError);
    expect(() => validateSpec(spec)).toThrow(message);
  });

  it('gives the path on its own, for programs', () => {
    try {
      validateSpec(linux({ devices: [{ path: '/d', type: 'c', major: 'x' }] }));
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'INVALID', path: '$.linux.devices[0].major' });
    }
  });
});
