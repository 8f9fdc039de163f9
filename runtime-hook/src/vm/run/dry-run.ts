import { stringifySpec } from '@kata-mock/oci-spec';
import { planRun } from './own.ts';
import type { RunOptions } from './run-options.ts';
import { shellWord } from './shell-word.ts';

/** `kata-mock run --dry-run`: prints what would happen and touches nothing. */
export async function dryRun(command: string[], options: RunOptions): Promise<number> {
  const { plan, spec, input, preview } = await planRun(command, options);
  const { devices, inventory } = preview.plan;
  if (options.output === 'json') {
    const seen = {
      sandbox: plan.paths.name,
      accel: plan.accel,
      devices: inventory.devices,
      source: preview.source,
      qemu: preview.qemu,
      rootfs: input.rootfs,
      spec: JSON.parse(stringifySpec(spec)),
    };
    console.log(JSON.stringify(seen, null, 2));
    return 0;
  }
  console.log(`sandbox ${plan.paths.name}: ${plan.memoryMiB} MiB, ${plan.cpus} CPU, ${plan.accel}`);
  console.log(`container: ${(spec.process?.args ?? []).map(shellWord).join(' ')}`);
  console.log(`root file system: ${input.rootfs} (${options.rootfsMode})`);
  console.log(`devices (from ${preview.source}): ${devices.length === 0 ? 'none' : ''}`);
  for (const { index, model, uuid, hostAddress, deviceTreePath, numaNode, containerPath } of devices) {
    const node = numaNode < 0 ? 'no NUMA node' : `NUMA node ${numaNode}`;
    console.log(
      `  ${index} ${model} ${uuid}: host ${hostAddress}, guest path ${deviceTreePath}, ${node}, ${containerPath}`,
    );
  }
  console.log('QEMU, by way of the wrapper:');
  console.log(preview.qemu.map((arg) => (arg.startsWith('-') ? `\\\n  ${arg}` : shellWord(arg))).join(' '));
  return 0;
}
