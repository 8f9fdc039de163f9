import type { Command } from 'commander';
import { registerCdiHost } from './cdi-host.ts';
import { registerCheck } from './check.ts';
import { registerCompletion } from './completion.ts';
import { registerDemo } from './demo.ts';
import { registerExec } from './exec.ts';
import { registerExplain } from './explain.ts';
import { registerInspect } from './inspect.ts';
import { registerLogs } from './logs.ts';
import { registerPrune } from './prune.ts';
import { registerPs } from './ps.ts';
import { registerRun } from './run.ts';
import { registerScenarios } from './scenarios.ts';
import { registerSysfs } from './sysfs.ts';

/** In the order of `kata-mock --help`. A new command is a file beside this one and a line here. */
const commands: ((program: Command) => void)[] = [
  registerRun,
  registerExec,
  registerLogs,
  registerInspect,
  registerPs,
  registerPrune,
  registerCheck,
  registerDemo,
  registerCdiHost,
  registerExplain,
  registerScenarios,
  registerSysfs,
  registerCompletion,
];

export function registerCommands(program: Command): void {
  for (const register of commands) register(program);
}
