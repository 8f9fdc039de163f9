import type { Config } from '../config/config.ts';

/** Later arguments win over Kata's: for hosts where KVM does not work, when config.toml says so. */
export function vmArguments({ vm }: Config): string[] {
  return [...(vm.accel ? ['-machine', `accel=${vm.accel}`] : []), ...(vm.cpu ? ['-cpu', vm.cpu] : [])];
}
