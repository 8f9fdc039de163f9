import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RELATIME, MS_STRICTATIME, mount, mountinfo } from '@kata-mock/posix';

interface SystemMount {
  readonly target: string;
  readonly fstype: string;
  readonly flags: number;
  readonly data?: string;
}

const SAFE = MS_NOSUID | MS_NODEV | MS_NOEXEC;

/** What a Linux user space expects, in an order in which each one's place exists. */
const SYSTEM_MOUNTS: readonly SystemMount[] = [
  { target: '/proc', fstype: 'proc', flags: SAFE },
  { target: '/sys', fstype: 'sysfs', flags: SAFE },
  { target: '/dev', fstype: 'devtmpfs', flags: MS_NOSUID | MS_STRICTATIME, data: 'mode=0755' },
  { target: '/dev/pts', fstype: 'devpts', flags: MS_NOSUID | MS_NOEXEC, data: 'gid=5,mode=0620,ptmxmode=0666' },
  { target: '/dev/shm', fstype: 'tmpfs', flags: MS_NOSUID | MS_NODEV, data: 'mode=1777' },
  { target: '/dev/mqueue', fstype: 'mqueue', flags: SAFE },
  { target: '/run', fstype: 'tmpfs', flags: MS_NOSUID | MS_NODEV, data: 'mode=0755' },
  { target: '/tmp', fstype: 'tmpfs', flags: MS_NOSUID | MS_NODEV, data: 'mode=1777' },
  { target: '/sys/fs/cgroup', fstype: 'cgroup2', flags: SAFE | MS_RELATIME },
];

const DEV_LINKS: Readonly<Record<string, string>> = {
  '/dev/ptmx': 'pts/ptmx',
  '/dev/fd': '/proc/self/fd',
  '/dev/stdin': '/proc/self/fd/0',
  '/dev/stdout': '/proc/self/fd/1',
  '/dev/stderr': '/proc/self/fd/2',
};

/** Mounts what the initrd has not mounted already. Failures go to `onProblem`: a guest without mqueue still works. */
export function mountSystem(onProblem: (target: string, error: unknown) => void): void {
  const mounted = mountedAlready();
  for (const { target, fstype, flags, data } of SYSTEM_MOUNTS) {
    if (mounted.has(target)) continue;
    try {
      if (!existsSync(target)) mkdirSync(target, { recursive: true });
      mount(fstype, target, fstype, flags, data ?? '');
    } catch (error) {
      onProblem(target, error);
    }
  }
  for (const [link, target] of Object.entries(DEV_LINKS)) {
    try {
      if (!existsSync(link)) symlinkSync(target, link);
    } catch (error) {
      onProblem(link, error);
    }
  }
}

function mountedAlready(): Set<string> {
  try {
    return new Set(mountinfo().map((entry) => entry.mountPoint));
  } catch {
    // Not even /proc is there yet.
    return new Set();
  }
}
