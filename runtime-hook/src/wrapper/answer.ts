import { writeSync } from 'node:fs';
import { KataMockError } from '../errors.ts';

/** Last line of a complete answer; the wrapper starts nothing without it. */
const mark = ':kata-mock:end:';

/** What the wrapper does next: which program to become, and what to append to its own arguments. */
export interface Answer {
  program: string;
  args: readonly string[];
}

/** Tells the wrapper, one line each. It goes on when this process ends or lets go of standard output. */
export function answer({ program, args }: Answer): void {
  let bytes = Buffer.from(formatAnswer({ program, args }));
  while (bytes.length > 0) bytes = bytes.subarray(writeSync(1, bytes));
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
