import { readFileSync } from 'node:fs';

/** A process told apart from a later one with the same pid: `startTime` is in clock ticks since boot. */
export interface ProcessIdentity {
  pid: number;
  startTime: string;
}

/** Undefined when there is no such process, or only its zombie. */
export function processIdentity(pid: number, proc = '/proc'): ProcessIdentity | undefined {
  let stat: string;
  try {
    stat = readFileSync(`${proc}/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The command in parentheses may itself hold blanks and parentheses; fields count from after it (3 = state).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields[0], fields[19]];
  if (startTime === undefined || state === 'Z' || state === 'X') return undefined;
  return { pid, startTime };
}

export function isAlive({ pid, startTime }: ProcessIdentity, proc = '/proc'): boolean {
  return processIdentity(pid, proc)?.startTime === startTime;
}
