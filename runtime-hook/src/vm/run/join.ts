/** `kata-mock run --sandbox NAME`: one more container in a VM that another `kata-mock run` owns. */
import { stringifySpec } from '@kata-mock/oci-spec';
import { connect } from 'ttrpc-ts';
import { Agent } from '../../agent-client/agent.ts';
import { loadArtefacts } from '../../artefacts/artefacts.ts';
import { KataMockError } from '../../errors.ts';
import { ControlClient } from '../control/client.ts';
import { Loss } from '../lifecycle/loss.ts';
import { randomName } from '../sandbox/directory.ts';
import { findSandbox } from '../sandbox/find.ts';
import { runDirectory } from '../sandbox/run-directory.ts';
import { containerSpec } from '../spec/container-spec.ts';
import { attach } from './attach.ts';
import { containerInput } from './inputs.ts';
import { report } from './report.ts';
import type { RunOptions } from './run-options.ts';

export async function joinSandbox(command: string[], options: RunOptions & { sandbox: string }): Promise<number> {
  if (options.device.length > 0) {
    throw new KataMockError('USAGE', `--device cannot be used with --sandbox: ${options.device[0]}`, {
      hint: 'devices are plugged when the VM starts; ask for them by annotation or in the bundle',
    });
  }
  if (options.dryRun) {
    throw new KataMockError('USAGE', '--dry-run plans a VM; with --sandbox there is none to plan');
  }
  const { paths, state } = findSandbox(runDirectory(), options.sandbox);
  const input = containerInput(options, () => loadArtefacts().rootfs);
  const id = options.name ?? randomName();
  const plain = options.bundle === undefined;
  const spec = containerSpec(input, {
    command,
    env: options.env,
    annotations: options.annotation,
    tty: options.tty,
    hostname: options.sandbox,
    // A VM without devices has no CDI names to ask for.
    defaultToAllDevices: plain && state.devices.length > 0,
  });
  const control = await ControlClient.open(paths.control);
  const loss = new Loss();
  void control.closed.then(() => loss.report(new KataMockError('VM', `sandbox "${options.sandbox}" has ended`)));
  try {
    await control.call('createContainer', {
      id,
      spec: stringifySpec(spec),
      rootfs: input.rootfs,
      rootfsMode: options.rootfsMode,
      ...(input.bundle !== undefined && { bundle: input.bundle }),
      describeDevices: plain,
    });
    const connection = await connect(`unix://${paths.agent}`);
    try {
      const output = report(options);
      const process = new Agent(connection).process(id, id);
      const exitCode = await loss.race(attach(process, { ...options, ...output.streams }));
      await control.call('removeContainer', { id });
      output.finish({ name: id, exitCode, devices: [], stages: [] });
      return exitCode;
    } finally {
      connection.destroy();
    }
  } finally {
    control.close();
  }
}
