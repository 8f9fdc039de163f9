import { parseSpec } from '@kata-mock/oci-spec';
import { describe, expect, it } from 'vitest';
import { constrain } from './constrain.ts';
import { specToWire } from './spec-to-wire.ts';

const spec = parseSpec(`{
  "ociVersion": "1.0.2",
  "process": {"cwd": "/", "args": ["sh"], "apparmorProfile": "p", "selinuxLabel": "l",
    "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 18446744073709551615, "soft": 9007199254740993}]},
  "root": {"path": "/host/rootfs", "readonly": true},
  "hooks": {"prestart": [{"path": "/bin/true"}]},
  "mounts": [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["size=64m"]},
    {"destination": "/data", "type": "bind", "source": "/srv/data", "options": ["rbind"]}
  ],
  "linux": {
    "namespaces": [{"type": "pid"}, {"type": "network", "path": "/run/netns/x"}, {"type": "ipc", "path": "/proc/1/ns/ipc"},
      {"type": "mount"}, {"type": "cgroup"}, {"type": "time"}],
    "resources": {
      "devices": [{"allow": false, "access": "rwm"}], "pids": {"limit": 3}, "network": {"classID": 1},
      "cpu": {"shares": 1024, "quota": -1, "cpus": "0-1", "mems": "0"}, "memory": {"limit": 9007199254740993}
    },
    "devices": [
      {"path": "/dev/mock0", "type": "c", "major": 1, "minor": 3, "fileMode": 438},
      {"path": "/dev/vfio/4", "type": "c", "major": 500, "minor": 4}
    ],
    "seccomp": {"defaultAction": "SCMP_ACT_ALLOW"}
  }
}`);

function constrained() {
  const wire = specToWire(spec);
  const answer = constrain(wire, {
    rootPath: '/run/kata-containers/shared/containers/c1/rootfs',
    guestSource: ({ destination }) =>
      destination === '/data' ? '/run/kata-containers/shared/containers/c1-0-data' : undefined,
  });
  return { wire, answer };
}

describe("Kata's changes to a spec", () => {
  const { wire, answer } = constrained();

  it('takes away what belongs to the host', () => {
    expect(wire.Hooks).toBeUndefined();
    expect(wire.Linux?.Seccomp).toBeUndefined();
    expect(wire.Process).toMatchObject({ ApparmorProfile: '', SelinuxLabel: '' });
    expect(wire.Linux?.Resources).toMatchObject({
      Devices: [],
      CPU: { Cpus: '', Mems: '', Shares: 1024n, Quota: -1n },
    });
    expect(wire.Linux?.Resources?.Pids).toBeUndefined();
    expect(wire.Linux?.Resources?.Network).toBeUndefined();
  });

  it('keeps only namespaces the guest makes itself, and their host paths not at all', () => {
    expect(wire.Linux?.Namespaces.map(({ Type, Path }) => [Type, Path])).toEqual([
      ['ipc', ''],
      ['mount', ''],
    ]);
    expect(answer).toEqual({ sandboxPidns: false });
  });

  it('names paths of the guest', () => {
    expect(wire.Root).toMatchObject({ Path: '/run/kata-containers/shared/containers/c1/rootfs', Readonly: true });
    expect(wire.Mounts.map(({ destination, type, source }) => [destination, type, source])).toEqual([
      ['/proc', 'proc', 'proc'],
      ['/dev/shm', 'bind', '/run/kata-containers/sandbox/shm'],
      ['/data', 'bind', '/run/kata-containers/shared/containers/c1-0-data'],
    ]);
  });

  it('passes placeholders of devices on, but not VFIO groups', () => {
    expect(wire.Linux?.Devices.map(({ Path, Major, Minor, FileMode }) => [Path, Major, Minor, FileMode])).toEqual([
      ['/dev/mock0', 1n, 3n, 0o666],
    ]);
  });

  it('keeps 64-bit numbers exact', () => {
    expect(wire.Process?.Rlimits[0]).toMatchObject({ Hard: 18446744073709551615n, Soft: 9007199254740993n });
    expect(wire.Linux?.Resources?.Memory?.Limit).toBe(9007199254740993n);
  });

  it('shares the pid namespace when the spec names one, and always has resources', () => {
    const shared = specToWire(
      parseSpec('{"ociVersion": "1.0.2", "linux": {"namespaces": [{"type": "pid", "path": "/proc/7/ns/pid"}]}}'),
    );
    expect(constrain(shared, { rootPath: '/r', guestSource: () => undefined })).toEqual({ sandboxPidns: true });
    expect(shared.Linux?.Resources).toBeDefined();
  });
});
