import type { Command } from 'commander';
import { type OutputFormat, outputOption } from '../options.ts';
import { renderTable } from '../table.ts';

export function registerPs(program: Command): void {
  program
    .command('ps')
    .description('list sandboxes and VMs; changes nothing')
    .option('-q, --quiet', 'print only the names of running sandboxes', false)
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ kata-mock ps --output json')
    .action(async ({ quiet, output }: { quiet: boolean; output: OutputFormat }) => {
      const { listAll } = await import('../../vm/commands/ps.ts');
      const rows = listAll();
      if (quiet) {
        for (const row of rows) if (row.condition === 'running') console.log(row.name);
      } else if (output === 'json') console.log(JSON.stringify(rows, null, 2));
      else {
        const header = ['NAME', 'CONDITION', 'KIND', 'PID', 'DEVICES', 'CONTAINERS', 'CREATED'];
        const cells = rows.map((row) => [
          row.name,
          row.condition,
          row.kind,
          row.pid?.toString() ?? '-',
          row.devices.toString(),
          row.containers.join(',') || '-',
          row.createdAt ?? '-',
        ]);
        process.stdout.write(renderTable(header, cells));
      }
    });
}
