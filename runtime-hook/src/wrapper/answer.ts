import { closeSync, openSync, writeSync } from 'node:fs';
import { KataMockError } from '../errors.ts';

/** Last line of a complete answer; the wrapper starts nothing without it. */
const mark = ':kata-mock:end:';

/** What the wrapper does next: which program to become, and what to append to its own arguments. */
export interface Answer {
  program: string;
  args: readonly string[];
}

/**
 * Tells the wrapper, one line each, and closes standard output: the wrapper goes on from there, so whatever must be
 * ready for QEMU is ready by now.
 */
export function answer({ program, args }: Answer): void {
  writeAll(formatAnswer({ program, args }));
  replaceByNull(1);
}

/** The wrapper splits at line ends, so no line may hold one or be empty. */
export function formatAnswer({ program, args }: Answer): string {
  const lines = [program, ...args];
  for (const line of lines) {
    if (line === '' || line.includes('\n') || line.includes('\0')) {
      throw new KataMockError('BAD_INPUT', `${JSON.stringify(line)} cannot be passed to QEMU as one argument`);
    }
  }
  return `${[...lines, mark].join('\n')}\n`;
}

/** The descriptor stays taken, so that no later file gets its number and whoever writes to it harms nothing. */
export function replaceByNull(fd: 1 | 2): void {
  closeSync(fd);
  const opened = openSync('/dev/null', 'w');
  if (opened !== fd) throw new KataMockError('HOST', `descriptor ${fd} became ${opened}: descriptor 0 is not open`);
}

function writeAll(text: string): void {
  let bytes = Buffer.from(text);
  while (bytes.length > 0) bytes = bytes.subarray(writeSync(1, bytes));
}
