import { fromJson } from '@bufbuild/protobuf';
import { LinuxResourcesSchema, SpecSchema } from '@kata-mock/contracts';
import { validateSpec } from '@kata-mock/oci-spec';
import { describe, expect, test } from 'vitest';
import { resourcesFromProto, specFromProto } from './oci-from-proto.ts';

describe("Kata's form of a spec", () => {
  test('becomes a valid OCI spec with the names of OCI', () => {
    const spec = specFromProto(
      fromJson(SpecSchema, {
        Version: '1.0.2-dev',
        Process: {
          Args: ['sh'],
          Cwd: '/',
          User: { UID: 1000, AdditionalGids: [0] },
          OOMScoreAdj: '-998',
          NoNewPrivileges: true,
          Rlimits: [{ Type: 'RLIMIT_CORE' }],
          Capabilities: { Bounding: ['CAP_CHOWN'] },
        },
        Root: { Path: '/run/x', Readonly: true },
        Annotations: { Key: 'v' },
        Mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
        Linux: {
          CgroupsPath: '/k8s.io/x',
          UIDMappings: [{ ContainerID: 0, HostID: 1000, Size: 1 }],
          Resources: { CPU: { Shares: '2' }, Memory: { Limit: '134217728' }, HugepageLimits: [{ Pagesize: '2MB' }] },
          Devices: [{ Path: '/dev/null', Type: 'c', Major: '1', Minor: '3' }],
          Sysctl: { 'net.ipv4.ip_forward': '1' },
        },
      }),
    );
    validateSpec(spec);
    expect(spec).toMatchObject({
      ociVersion: '1.0.2-dev',
      process: {
        user: { uid: 1000, additionalGids: [0] },
        oomScoreAdj: -998,
        rlimits: [{ type: 'RLIMIT_CORE', hard: 0, soft: 0 }],
      },
      annotations: { Key: 'v' },
      linux: {
        uidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
        resources: { cpu: { shares: 2 }, hugepageLimits: [{ pageSize: '2MB', limit: 0 }] },
        sysctl: { 'net.ipv4.ip_forward': '1' },
      },
    });
  });

  test.each([
    [{ Access: 'rwm' }, { allow: false, access: 'rwm' }],
    [
      { Allow: true, Type: 'c', Major: '240', Access: 'rw' },
      { allow: true, type: 'c', major: 240, minor: 0, access: 'rw' },
    ],
    [
      { Allow: true, Type: 'c', Access: 'm' },
      { allow: true, type: 'c', access: 'm' },
    ],
    [
      { Allow: true, Type: 'c', Major: '240', Minor: '-1' },
      { allow: true, type: 'c', major: 240, minor: -1 },
    ],
  ])('reads the device rule %j', (rule, expected) => {
    expect(resourcesFromProto(fromJson(LinuxResourcesSchema, { Devices: [rule] })).devices).toEqual([expected]);
  });

  test('keeps numbers above 2^53', () => {
    const { memory } = resourcesFromProto(fromJson(LinuxResourcesSchema, { Memory: { Limit: '9223372036854775807' } }));
    expect(memory?.limit).toBe(9223372036854775807n);
  });
});
