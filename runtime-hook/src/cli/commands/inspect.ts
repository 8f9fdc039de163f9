import type { Command } from 'commander';
import { type OutputFormat, outputOption } from '../options.ts';
import { registerText } from '../register-text.ts';
import { renderTable } from '../table.ts';

export function registerInspect(program: Command): void {
  program
    .command('inspect')
    .description("show a sandbox's devices: addresses on host and guest, registers as they are now")
    .argument('<sandbox>', 'its name (kata-mock ps)')
    .option('--svg <file>', 'draw where the devices sit into a file')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ kata-mock inspect demo')
    .action(async (sandbox: string, options: { svg?: string; output: OutputFormat }) => {
      const { inspect } = await import('../../vm/commands/inspect.ts');
      const seen = await inspect(sandbox);
      if (options.svg !== undefined) {
        const { writeFileSync } = await import('node:fs');
        const { topologySvg } = await import('../../vm/topology/svg.ts');
        writeFileSync(options.svg, topologySvg(seen.name, seen.devices));
      }
      if (options.output === 'json') {
        console.log(JSON.stringify(seen, null, 2));
        return;
      }
      const { deviceTable } = await import('../device-table.ts');
      console.log(
        `sandbox ${seen.name}: ${seen.condition}${seen.accel ? `, ${seen.accel}, agent over ${seen.transport}` : ''}`,
      );
      process.stdout.write(`\n${deviceTable(seen.devices)}`);
      for (const { index, uuid, registers } of seen.devices) {
        if (!registers) continue;
        console.log(`\nregisters of device ${index} (${uuid}):`);
        const rows = registers.map(({ name, offset, value }) => [
          `0x${offset.toString(16).padStart(3, '0')}`,
          name,
          registerText(value),
        ]);
        process.stdout.write(renderTable(['OFFSET', 'NAME', 'VALUE'], rows));
      }
    });
}
