import type { Command } from 'commander';
import { registerCdiHost } from './cdi-host.ts';
import { registerCompletion } from './completion.ts';
import { registerRun } from './run.ts';

/** In the order of `kata-mock --help`. A new command is a file beside this one and a line here. */
const commands: ((program: Command) => void)[] = [registerRun, registerCdiHost, registerCompletion];

export function registerCommands(program: Command): void {
  for (const register of commands) register(program);
}
