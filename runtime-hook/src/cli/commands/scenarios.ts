import type { Command } from 'commander';
import { KataMockError } from '../../errors.ts';
import { type OutputFormat, outputOption } from '../options.ts';
import { renderTable } from '../table.ts';

export function registerScenarios(program: Command): void {
  program
    .command('scenarios')
    .description("run the device handling against upstream's known problems, on fake machines")
    .argument('[names...]', 'only these: a name, or the beginning of one')
    .option('-v, --verbose', 'print what came of each request', false)
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ kata-mock scenarios 5676 latent')
    .action(async (names: string[], { verbose, output }: { verbose: boolean; output: OutputFormat }) => {
      const { runScenario, scenarios } = await import('@kata-mock/devices/scenarios');
      const chosen = scenarios.filter(
        ({ name }) => names.length === 0 || names.some((asked) => name.startsWith(asked)),
      );
      if (chosen.length === 0) {
        const known = scenarios.map(({ name }) => name).join(', ');
        throw new KataMockError('USAGE', `no scenario begins with ${names.join(', ')}`, {
          hint: `there are: ${known}`,
        });
      }
      const results = [];
      for (const { name, scenario } of chosen) results.push({ name, ...(await runScenario(scenario)) });
      if (output === 'json') console.log(JSON.stringify(results, null, 2));
      else {
        const rows = results.map(({ name, scenario, passed }) => [
          name,
          passed ? 'as expected' : 'DIFFERS',
          scenario.title,
          kata(scenario.kata),
        ]);
        process.stdout.write(renderTable(['SCENARIO', 'KATA-MOCK', 'TITLE', "KATA'S AGENT"], rows));
        for (const { name, cases } of results) {
          for (const { container, differences, summary } of cases) {
            if (verbose) console.log(`${name} ${container}: ${summary}`);
            for (const difference of differences) console.log(`${name} ${container}: DIFFERS: ${difference}`);
          }
        }
        console.log(`${results.filter(({ passed }) => passed).length} of ${results.length} as expected`);
      }
      if (results.some(({ passed }) => !passed)) process.exitCode = 1;
    });
}

function kata(known: Readonly<Record<string, string>> = {}): string {
  return (
    Object.entries(known)
      .map(([version, what]) => `${version}: ${what}`)
      .join('; ') || '-'
  );
}
