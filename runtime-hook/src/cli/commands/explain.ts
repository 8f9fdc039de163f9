import type { Command } from 'commander';
import { type OutputFormat, outputOption } from '../options.ts';

interface Options {
  request: string;
  root: string;
  inventory?: string;
  warnUntranslated: boolean;
  output: OutputFormat;
}

export function registerExplain(program: Command): void {
  program
    .command('explain')
    .description("show what the guest's agent would do with a CreateContainer request; changes nothing")
    .requiredOption('--request <file>', 'the request as JSON, or one line of a recording; "-" reads standard input')
    .requiredOption('--root <dir>', 'directory with sys/ and dev/: a fake tree, a copy of a guest, or /')
    .option('--inventory <file>', "the VM's device inventory; default: what the root's fw_cfg says")
    .option('--warn-untranslated', 'leave PCIDEVICE_ variables that cannot be translated, as Kata from 3.32 on', false)
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ kata-mock explain --request create-container.json --root /tmp/tree')
    .action(async (options: Options) => {
      const { explainFiles } = await import('../explain/explain-files.ts');
      const { formatExplanation } = await import('@kata-mock/devices/explain');
      const { stringifyJson } = await import('../explain/stringify.ts');
      const explanation = await explainFiles(options);
      console.log(options.output === 'json' ? stringifyJson(explanation) : formatExplanation(explanation));
      if (explanation.error) process.exitCode = 1;
    });
}
