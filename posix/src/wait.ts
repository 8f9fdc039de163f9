import { bind, checkRestarting, syscall } from './libc.ts';

export const P_ALL = 0;
export const P_PID = 1;
export const P_PGID = 2;
export const P_PIDFD = 3;

export const WNOHANG = 1;
export const WSTOPPED = 2;
export const WEXITED = 4;
export const WCONTINUED = 8;
/** Look only: the child stays to be waited for. */
export const WNOWAIT = 0x1000000;

export const CLD_EXITED = 1;
export const CLD_KILLED = 2;
export const CLD_DUMPED = 3;

const SIGINFO_SIZE = 128;

const waitidFunction = bind('waitid', ['int', 'uint', 'pointer', 'int', 'pointer']);

/** What happened to a child: `status` is the exit code after {@link CLD_EXITED}, the signal's number otherwise. */
export interface ChildStatus {
  pid: number;
  code: number;
  status: number;
}

/**
 * waitid(2). Blocks the thread unless {@link WNOHANG} is given; then `undefined` means that nothing happened yet.
 * ECHILD when there is no such child.
 */
export function waitid(idtype: number, id: number, options: number): ChildStatus | undefined {
  const info = Buffer.alloc(SIGINFO_SIZE);
  checkRestarting('waitid', waitidFunction, [idtype, id, info, options, null], [idtype, id, options]);
  const pid = info.readInt32LE(16);
  if (info.readInt32LE(0) === 0) return undefined;
  // si_code at 8; the union at 16: si_pid, si_uid, si_status.
  return { pid, code: info.readInt32LE(8), status: info.readInt32LE(24) };
}

/** A descriptor of a process (Linux 5.3), readable when it has ended. Unlike a pid it never means another process. */
export function pidfdOpen(pid: number): number {
  return syscall('pidfd_open', [pid, 0], [pid]);
}

/** Sends a signal by number to the process behind a {@link pidfdOpen} descriptor; ESRCH when it has ended. 0 asks only. */
export function pidfdSendSignal(pidfd: number, signal: number): void {
  syscall('pidfd_send_signal', [pidfd, signal, 0, 0], [pidfd, signal]);
}
