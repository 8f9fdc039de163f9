import type { Command } from 'commander';
import { type OutputFormat, outputOption } from '../options.ts';
import { renderTable } from '../table.ts';

export function registerCheck(program: Command): void {
  program
    .command('check')
    .description('say what this host can do, and how to mend what it cannot')
    .option('--fresh', 'probe KVM again instead of remembering', false)
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ kata-mock check\n\nExit code 1 when `kata-mock run` cannot work here.')
    .action(async ({ fresh, output }: { fresh: boolean; output: OutputFormat }) => {
      const { checkHost } = await import('../../check/index.ts');
      const findings = await checkHost({ fresh });
      if (output === 'json') console.log(JSON.stringify(findings, null, 2));
      else {
        process.stdout.write(
          renderTable(
            ['CHECK', 'RESULT', 'DETAIL'],
            findings.map((f) => [f.name, f.result, f.detail]),
          ),
        );
        const mend = findings.filter((finding) => finding.mend !== undefined);
        if (mend.length > 0) console.log('\nhow to mend:');
        for (const { name, mend: how } of mend) console.log(`  ${name}: ${how}`);
      }
      if (findings.some((finding) => finding.result === 'missing')) process.exitCode = 1;
    });
}
