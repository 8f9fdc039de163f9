import type { Command } from 'commander';
import { bash } from './bash.ts';
import { fish } from './fish.ts';
import { describeProgram, type ProgramWords } from './words.ts';
import { zsh } from './zsh.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

const writers: Record<Shell, (words: ProgramWords) => string> = { bash, zsh, fish };

/** The script that completes commands, options, their choices and the names of sandboxes. */
export function completionScript(shell: Shell, program: Command): string {
  return writers[shell](describeProgram(program));
}
