import { toBinary } from '@bufbuild/protobuf';
import { SpecSchema } from '@kata-mock/contracts';
import type { Spec } from '@kata-mock/oci-spec';
import { describe, expect, it } from 'vitest';
import { specToWire } from './spec-to-wire.ts';

describe('specToWire', () => {
  it('takes a spec that has next to nothing', () => {
    const wire = specToWire({ ociVersion: '1.1.0' });
    expect(wire).toMatchObject({ Version: '1.1.0', Mounts: [], Annotations: {} });
    expect(toBinary(SpecSchema, wire).byteLength).toBeLessThan(10);
  });

  it('carries what a spec can say', () => {
    const spec: Spec = {
      ociVersion: '1.1.0',
      hostname: 'h',
      process: {
        cwd: '/',
        terminal: true,
        consoleSize: { height: 24, width: 80 },
        user: { uid: 1, gid: 2, additionalGids: [3] },
        args: ['a'],
        env: ['B=1'],
        capabilities: { bounding: ['CAP_KILL'], ambient: ['CAP_KILL'] },
        oomScoreAdj: -998,
        noNewPrivileges: true,
      },
      hooks: { prestart: [{ path: '/bin/true', timeout: 3 }] },
      linux: {
        sysctl: { 'net.ipv4.ip_forward': '1' },
        uidMappings: [{ containerID: 0, hostID: 1000, size: 10 }],
        devices: [{ path: '/dev/mock0', type: 'c' }],
        resources: {
          devices: [
            { allow: true, type: 'c', access: 'rwm' },
            { allow: true, type: 'c', major: 1, minor: 3 },
          ],
          blockIO: { weight: 10, throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1048576n }] },
          hugepageLimits: [{ pageSize: '2MB', limit: 18446744073709551615n }],
        },
        seccomp: {
          defaultAction: 'SCMP_ACT_ALLOW',
          syscalls: [{ names: ['mount'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 }],
        },
        intelRdt: { l3CacheSchema: 'L3:0=f' },
      },
    };
    const wire = specToWire(spec);
    expect(wire).toMatchObject({
      Hostname: 'h',
      Process: {
        Terminal: true,
        ConsoleSize: { Height: 24, Width: 80 },
        User: { UID: 1, GID: 2, AdditionalGids: [3] },
        Capabilities: { Bounding: ['CAP_KILL'], Ambient: ['CAP_KILL'], Effective: [] },
        OOMScoreAdj: -998n,
        NoNewPrivileges: true,
      },
      Hooks: { Prestart: [{ Path: '/bin/true', Timeout: 3n }] },
      Linux: {
        UIDMappings: [{ ContainerID: 0, HostID: 1000, Size: 10 }],
        Devices: [{ Path: '/dev/mock0', Type: 'c', Major: 0n, Minor: 0n }],
        Seccomp: { DefaultAction: 'SCMP_ACT_ALLOW', Syscalls: [{ Names: ['mount'], errnoret: 1 }] },
        IntelRdt: { L3CacheSchema: 'L3:0=f' },
      },
    });
    expect(wire.Linux?.Resources?.HugepageLimits[0]?.Limit).toBe(18446744073709551615n);
  });

  it('writes a device rule without numbers as one for every number', () => {
    const resources = { devices: [{ allow: false, access: 'rwm' }] };
    const [rule] = specToWire({ ociVersion: '1.1.0', linux: { resources } }).Linux?.Resources?.Devices ?? [];
    expect(rule).toMatchObject({ Allow: false, Major: -1n, Minor: -1n });
  });
});
