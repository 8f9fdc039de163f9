import type { VmStart } from '../argv/vm-start.ts';
import type { Config } from '../config/config.ts';
import type { DeviceSpec } from '../inventory/device-spec.ts';

/** How the wrapper started this process. */
export interface HookCall {
  wrapperPid: number;
  /** Directory of the wrapper. */
  wrapperDirectory: string;
  /** Kata's arguments for QEMU. */
  args: readonly string[];
  /** The sandbox's bundle: the wrapper's working directory. */
  bundle: string;
  env: NodeJS.ProcessEnv;
}

/** A sandbox that gets devices. */
export interface DeviceRequest {
  start: VmStart;
  /** One spec a device, within the policy. */
  devices: DeviceSpec[];
  /** Where they were named. */
  source: string;
  uuidSeed: string[];
  qemu: string;
  config: Config;
}
