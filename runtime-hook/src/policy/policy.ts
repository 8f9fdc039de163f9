import { KataMockError } from '../errors.ts';
import { type DeviceSpec, defaultMemory, formatDeviceSpec } from '../inventory/device-spec.ts';
import { quote } from '../inventory/quote.ts';
import { formatSize } from '../inventory/size.ts';
import { matchesGlob } from './glob.ts';

/**
 * What a VM may have, whoever asks. Annotations are a tenant's input, so all of it is checked before anything is
 * leased, made or started.
 */
export interface Policy {
  /** Devices of one VM. */
  maxDevices: number;
  /** Sum of the memory sizes of one VM's devices, bytes. */
  maxMemory: bigint;
  /** Highest NUMA node a device may ask for. */
  maxNumaNode: number;
  models: readonly string[];
  /** Patterns of container paths; `*` matches within one part of a path. */
  containerPaths: readonly string[];
}

export const defaultPolicy: Policy = {
  maxDevices: 32,
  maxMemory: 512n << 30n,
  maxNumaNode: 7,
  models: ['mock-accel'],
  containerPaths: ['/dev/mock*'],
};

/** One spec a device, in order. Throws POLICY, naming the limit, before it makes any of them. */
export function allowedDevices(specs: readonly DeviceSpec[], policy: Policy, configFile: string): DeviceSpec[] {
  const refuse = (what: string, limit: string, value: string): never => {
    throw new KataMockError('POLICY', `${what}, over the limit ${limit} = ${value} of ${configFile}`, {
      hint: `ask for less, or have the host's administrator raise ${limit} in section [policy]`,
    });
  };
  const devices = specs.reduce((sum, spec) => sum + spec.count, 0);
  if (devices > policy.maxDevices) refuse(`${devices} devices are asked for`, 'maxDevices', `${policy.maxDevices}`);
  const memory = specs.reduce((sum, spec) => sum + (spec.memory ?? defaultMemory) * BigInt(spec.count), 0n);
  if (memory > policy.maxMemory) {
    const limit = `"${formatSize(policy.maxMemory)}"`;
    refuse(`${formatSize(memory)} of device memory are asked for`, 'maxMemory', limit);
  }
  for (const spec of specs) {
    const device = `device ${quote(formatDeviceSpec(spec))}`;
    if (!policy.models.includes(spec.model)) {
      refuse(`${device} has the model ${quote(spec.model)}`, 'models', JSON.stringify(policy.models));
    }
    if (spec.numa !== undefined && spec.numa > policy.maxNumaNode) {
      refuse(`${device} asks for NUMA node ${spec.numa}`, 'maxNumaNode', `${policy.maxNumaNode}`);
    }
    const { path } = spec;
    if (path !== undefined && !policy.containerPaths.some((pattern) => matchesGlob(path, pattern))) {
      refuse(
        `${device} has the container path ${quote(path)}`,
        'containerPaths',
        JSON.stringify(policy.containerPaths),
      );
    }
  }
  return specs.flatMap((spec) => Array.from({ length: spec.count }, () => ({ ...spec, count: 1 })));
}
