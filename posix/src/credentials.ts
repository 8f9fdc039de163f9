import { readFileSync } from 'node:fs';
import { word } from './errors.ts';
import { address, bind, check, holding, syscall } from './libc.ts';

const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAPBSET_DROP = 24;
const SECCOMP_SET_MODE_FILTER = 1;
const SECCOMP_FILTER_FLAG_TSYNC = 1;
const SECCOMP_RET_ALLOW = 0x7fff0000;
const BPF_RET_K = 0x06;
const LAST_POSSIBLE_CAPABILITY = 63;

const prctlFunction = bind('prctl', ['int', 'ulong', 'ulong', 'ulong', 'ulong']);
const setresuidFunction = bind('setresuid', ['uint', 'uint', 'uint']);
const setresgidFunction = bind('setresgid', ['uint', 'uint', 'uint']);
const setgroupsFunction = bind('setgroups', ['size_t', 'pointer']);

/**
 * Sets no_new_privs for every thread of the process. prctl(2) does so for the calling thread alone; the kernel
 * carries the bit to the others when a seccomp filter is synchronised to them, so one that allows everything is
 * installed as well.
 */
export function prctlNoNewPrivs(): void {
  check('prctl', prctlFunction, [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0], [word('PR_SET_NO_NEW_PRIVS'), 1]);
  const instruction = Buffer.alloc(8);
  instruction.writeUInt16LE(BPF_RET_K, 0);
  instruction.writeUInt32LE(SECCOMP_RET_ALLOW, 4);
  const program = Buffer.alloc(16);
  program.writeUInt16LE(1, 0);
  program.writeBigUInt64LE(address(instruction), 8);
  const flags = SECCOMP_FILTER_FLAG_TSYNC;
  holding(instruction, () => syscall('seccomp', [SECCOMP_SET_MODE_FILTER, flags, program], [word('TSYNC')]));
}

/** Empties the calling thread's bounding set; threads it starts later inherit that. Needs CAP_SETPCAP. */
export function dropBoundingSet(): void {
  for (let capability = 0; capability <= LAST_POSSIBLE_CAPABILITY; capability++) {
    // EINVAL marks the end of what this kernel knows; anything else is a real failure.
    if (prctlFunction(PR_CAPBSET_DROP, capability, 0, 0, 0) === -1) {
      if (capability > 0 && !readsBoundingSet(capability)) return;
      check('prctl', prctlFunction, [PR_CAPBSET_DROP, capability, 0, 0, 0], [word('PR_CAPBSET_DROP'), capability]);
    }
  }
}

const PR_CAPBSET_READ = 23;
const readsBoundingSet = (capability: number) => prctlFunction(PR_CAPBSET_READ, capability, 0, 0, 0) !== -1;

/** Real, effective and saved user of every thread (glibc's wrapper sees to that). Leaving 0 drops the capabilities. */
export function setresuid(real: number, effective: number, saved: number): void {
  check('setresuid', setresuidFunction, [real, effective, saved]);
}

/** Real, effective and saved group of every thread. */
export function setresgid(real: number, effective: number, saved: number): void {
  check('setresgid', setresgidFunction, [real, effective, saved]);
}

/** Supplementary groups of every thread. */
export function setgroups(groups: readonly number[]): void {
  const list = Buffer.from(new Uint32Array([...groups, 0]).buffer);
  check('setgroups', setgroupsFunction, [groups.length, list], [word(`[${groups.join(', ')}]`)]);
}

/** Rights of a process's main thread, from /proc/<pid>/status. Sets are bit masks by capability number. */
export interface ProcessRights {
  inheritable: bigint;
  permitted: bigint;
  effective: bigint;
  bounding: bigint;
  ambient: bigint;
  noNewPrivs: boolean;
  uids: number[];
  gids: number[];
  groups: number[];
}

export function capsOf(pid: number | 'self'): ProcessRights {
  const fields = new Map(
    readFileSync(`/proc/${pid}/status`, 'utf8')
      .split('\n')
      .map((line) => line.split(':\t') as [string, string]),
  );
  const set = (name: string) => BigInt(`0x${fields.get(name) ?? '0'}`);
  const list = (name: string) => (fields.get(name) ?? '').trim().split(/\s+/).filter(Boolean).map(Number);
  return {
    inheritable: set('CapInh'),
    permitted: set('CapPrm'),
    effective: set('CapEff'),
    bounding: set('CapBnd'),
    ambient: set('CapAmb'),
    noNewPrivs: fields.get('NoNewPrivs') === '1',
    uids: list('Uid'),
    gids: list('Gid'),
    groups: list('Groups'),
  };
}
