import { word } from './errors.ts';
import { bind, check } from './libc.ts';

export const CLONE_NEWNS = 0x00020000;
export const CLONE_NEWCGROUP = 0x02000000;
export const CLONE_NEWUTS = 0x04000000;
export const CLONE_NEWIPC = 0x08000000;
export const CLONE_NEWUSER = 0x10000000;
export const CLONE_NEWPID = 0x20000000;
export const CLONE_NEWNET = 0x40000000;

export const RLIMIT = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
} as const;
export type LimitName = keyof typeof RLIMIT;

const RLIM_INFINITY = 0xffffffffffffffffn;

const prlimitFunction = bind('prlimit64', ['int', 'int', 'pointer', 'pointer']);
const setsidFunction = bind('setsid', []);
const unshareFunction = bind('unshare', ['int']);
const setnsFunction = bind('setns', ['int', 'int']);
const sethostnameFunction = bind('sethostname', ['pointer', 'size_t']);
const prctlFunction = bind('prctl', ['int', 'ulong', 'ulong', 'ulong', 'ulong']);
const PR_SET_PDEATHSIG = 1;
const PR_SET_CHILD_SUBREAPER = 36;

const syncFunction = bind('sync', []);

/** Sets a limit of this process; `hard` defaults to `soft`, 'infinity' takes it away. Raising the hard one needs CAP_SYS_RESOURCE. */
export function setrlimit(name: LimitName, soft: number | 'infinity', hard: number | 'infinity' = soft): void {
  const limits = Buffer.alloc(16);
  limits.writeBigUInt64LE(soft === 'infinity' ? RLIM_INFINITY : BigInt(soft), 0);
  limits.writeBigUInt64LE(hard === 'infinity' ? RLIM_INFINITY : BigInt(hard), 8);
  check('setrlimit', prlimitFunction, [0, RLIMIT[name], limits, null], [word(name), soft, hard]);
}

export function getrlimit(name: LimitName): { soft: number | 'infinity'; hard: number | 'infinity' } {
  const limits = Buffer.alloc(16);
  check('getrlimit', prlimitFunction, [0, RLIMIT[name], null, limits], [word(name)]);
  const value = (offset: number) => {
    const number = limits.readBigUInt64LE(offset);
    return number === RLIM_INFINITY ? ('infinity' as const) : Number(number);
  };
  return { soft: value(0), hard: value(8) };
}

/** Starts a new session and process group; EPERM for a process that leads a group already. */
export function setsid(): number {
  return check('setsid', setsidFunction, []);
}

/** Orphaned descendants of this process become its children from now on, instead of those of pid 1. */
export function setChildSubreaper(on = true): void {
  check('prctl', prctlFunction, [PR_SET_CHILD_SUBREAPER, on ? 1 : 0, 0, 0, 0], [word('PR_SET_CHILD_SUBREAPER'), on]);
}

/**
 * Signal (by number, 0 for none) that this process gets when the *thread* that started it ends. Look at the parent's
 * pid afterwards: it may have ended already.
 */
export function setParentDeathSignal(signal: number): void {
  check('prctl', prctlFunction, [PR_SET_PDEATHSIG, signal, 0, 0, 0], [word('PR_SET_PDEATHSIG'), signal]);
}

/** Moves the calling thread into new namespaces (`CLONE_NEW…`). Threads other than the main one cannot unshare a user namespace. */
export function unshare(flags: number): void {
  check('unshare', unshareFunction, [flags], [word(`0x${flags.toString(16)}`)]);
}

/** Moves the calling thread into the namespace of a descriptor; `type` (`CLONE_NEW…`, 0 for any) guards against mix-ups. */
export function setns(fd: number, type = 0): void {
  check('setns', setnsFunction, [fd, type]);
}

export function sethostname(name: string): void {
  const bytes = Buffer.from(name);
  check('sethostname', sethostnameFunction, [bytes, bytes.byteLength], [name]);
}

/** Writes everything dirty to its disk. */
export function sync(): void {
  syncFunction();
}

/** Sets the file mode creation mask of the process and returns the one before. */
export function umask(mask: number): number {
  return process.umask(mask);
}
