import { closeSync, openSync } from 'node:fs';
import { dup2, setsid } from '@kata-mock/posix';

/** Leaves the shim's session and its directory: its signals and its terminal, and the bundle must stay unmountable. */
export function leaveSession(): void {
  setsid();
  process.chdir('/');
}

/**
 * Lets go of standard output, for which the wrapper waits, and of the shim's standard error, whose end the shim waits
 * for. Both become /dev/null in one step each: threads may be opening files.
 */
export function leaveOutput(): void {
  const nothing = openSync('/dev/null', 'w');
  dup2(nothing, 1);
  dup2(nothing, 2);
  closeSync(nothing);
}
