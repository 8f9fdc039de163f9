import { deviceKeysHelp } from '../../inventory/device-keys.ts';
import { dryRun } from './dry-run.ts';
import { joinSandbox } from './join.ts';
import { ownSandbox } from './own.ts';
import type { RunOptions } from './run-options.ts';

/** `kata-mock run`; answers the exit code. */
export async function run(command: string[], options: RunOptions): Promise<number> {
  if (options.device.includes('help')) {
    process.stdout.write(`${deviceKeysHelp()}\n`);
    return 0;
  }
  if (options.dryRun && options.sandbox === undefined) return dryRun(command, options);
  const { sandbox } = options;
  if (sandbox !== undefined) return joinSandbox(command, { ...options, sandbox });
  return ownSandbox(command, options);
}
