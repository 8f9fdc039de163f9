import { readFileSync } from 'node:fs';
import { capsOf, dropBoundingSet, setgroups, setresgid, setresuid, setrlimit } from '@kata-mock/posix';
import { KataMockError } from '../errors.ts';

/** Descriptors that a device host of so many devices may have: each with its sockets, eventfds and the guest's memory. */
export const mostDescriptors = (devices: number): number => Math.max(4096, 128 * devices);

/** User and group ids that a device host changes to. */
export interface Identity {
  uid: number;
  gid: number;
}

/** Looks a user up. `nobody` needs no entry. */
export function findUser(name: string, passwd = '/etc/passwd'): Identity {
  for (const line of readFileSync(passwd, 'utf8').split('\n')) {
    const [user, , uid, gid] = line.split(':');
    if (user !== name) continue;
    if (Number(uid) === 0)
      throw new KataMockError('BAD_INPUT', `user "${name}" is root: a device host reads a guest's bytes`);
    return { uid: Number(uid), gid: Number(gid) };
  }
  if (name === 'nobody') return { uid: 65534, gid: 65534 };
  throw new KataMockError('HOST', `user "${name}" does not exist`, { hint: 'correct `user` in config.toml' });
}

/**
 * Gives up what a process that reads a guest's bytes must not have. Started by root, it becomes `identity`, and all
 * capabilities go with that; started by another user (rootless Kata), it is QEMU's user already. The wrapper has set
 * no_new_privs, so nothing brings them back. Throws rather than go on with rights.
 */
export function dropPrivileges(identity: Identity, descriptors: number): void {
  setrlimit('core', 0);
  setrlimit('nofile', descriptors);
  setrlimit('memlock', 0);
  if (process.getuid?.() === 0) {
    // Of this thread only, and without effect after no_new_privs; whoever reads /proc/PID/status need not know that.
    dropBoundingSet();
    setgroups([]);
    setresgid(identity.gid, identity.gid, identity.gid);
    setresuid(identity.uid, identity.uid, identity.uid);
  }
  const { permitted, effective, inheritable, ambient, noNewPrivs, uids } = capsOf('self');
  if (permitted | effective | inheritable | ambient || !noNewPrivs || uids.includes(0)) {
    throw new KataMockError('HOST', 'the device host could not give up its privileges', {
      hint: 'start it through the wrapper kata-mock-qemu',
    });
  }
}
