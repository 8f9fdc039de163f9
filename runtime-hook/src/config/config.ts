import type { DeviceSpec } from '../inventory/device-spec.ts';
import { defaultPolicy, type Policy } from '../policy/policy.ts';

/** What happens to a VM whose device host dies: it ends, or the guest sees dead devices. */
export type OnDeviceLoss = 'stop' | 'keep';

/** The hook's settings: /etc/kata-mock/config.toml with the environment on top. docs/hook.md describes each key. */
export interface Config {
  /** Where the settings were read, or would be. */
  file: string;
  /** The real QEMU; when not named, `qemu-system-x86_64` of PATH. */
  qemu: string | undefined;
  /** The guest's root image, for every VM. */
  rootImage: string | undefined;
  onDeviceLoss: OnDeviceLoss;
  /** User that a device host started by root changes to. */
  user: string;
  /** Devices of a sandbox that asks for none. */
  devices: DeviceSpec[];
  /** What CDI device names of a sandbox stand for. */
  cdi: DeviceSpec[];
  policy: Policy;
  /** For hosts where KVM does not work: overrides Kata's accelerator and CPU. Default: leave them. */
  vm: { accel: string | undefined; cpu: string | undefined };
  log: { format: 'json' | 'text'; level: 'debug' | 'info' | 'warn' | 'error' };
}

export const defaultConfigFile = '/etc/kata-mock/config.toml';

export function configFile(env: NodeJS.ProcessEnv = process.env): string {
  return env['KATA_MOCK_CONFIG'] || defaultConfigFile;
}

/** Settings without a file. */
export function defaultConfig(file: string): Config {
  return {
    file,
    qemu: undefined,
    rootImage: undefined,
    onDeviceLoss: 'keep',
    user: 'nobody',
    devices: [],
    cdi: [],
    policy: defaultPolicy,
    vm: { accel: undefined, cpu: undefined },
    log: { format: 'json', level: 'info' },
  };
}
