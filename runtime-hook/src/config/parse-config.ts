import { parse } from 'smol-toml';
import { KataMockError } from '../errors.ts';
import { parseDeviceList } from '../inventory/device-list.ts';
import { type DeviceSpec, deviceSpecFromObject } from '../inventory/device-spec.ts';
import { parseSize } from '../inventory/size.ts';
import { type Config, defaultConfig } from './config.ts';
import { Table } from './table.ts';

/** Reads config.toml. Throws BAD_INPUT naming the file and the key; a key it does not know is an error too. */
export function parseConfig(text: string, file: string): Config {
  try {
    return read(new Table(parse(text), ''), defaultConfig(file));
  } catch (cause) {
    if (cause instanceof KataMockError && cause.code === 'BAD_INPUT') throw cause;
    const { message, hint } = cause as Error & { hint?: string };
    throw new KataMockError('BAD_INPUT', `${file}: ${message.trim()}`, { cause, hint });
  }
}

function read(top: Table, defaults: Config): Config {
  const policy = top.table('policy');
  const vm = top.table('vm');
  const log = top.table('log');
  const config: Config = {
    file: defaults.file,
    qemu: top.text('qemu'),
    rootImage: top.text('rootImage'),
    onDeviceLoss: top.oneOf('onDeviceLoss', ['stop', 'keep']) ?? defaults.onDeviceLoss,
    user: top.text('user') ?? defaults.user,
    devices: devices(top.value('devices')),
    cdi: top.tables('cdi').map(cdiDevice),
    policy: {
      maxDevices: policy.number('maxDevices') ?? defaults.policy.maxDevices,
      maxMemory: size(policy.value('maxMemory')) ?? defaults.policy.maxMemory,
      maxNumaNode: policy.number('maxNumaNode') ?? defaults.policy.maxNumaNode,
      models: policy.texts('models') ?? defaults.policy.models,
      containerPaths: policy.texts('containerPaths') ?? defaults.policy.containerPaths,
    },
    vm: { accel: vm.oneOf('accel', ['kvm', 'tcg']), cpu: vm.text('cpu') },
    log: {
      format: log.oneOf('format', ['json', 'text']) ?? defaults.log.format,
      level: log.oneOf('level', ['debug', 'info', 'warn', 'error']) ?? defaults.log.level,
    },
  };
  for (const table of [top, policy, vm, log]) table.refuseUnread();
  return config;
}

/** `2`, `"numa=0; numa=1"` or `["numa=0", { numa = 1 }]`, as in the annotation. */
function devices(value: unknown): DeviceSpec[] {
  if (value === undefined) return [];
  if (typeof value === 'string' || typeof value === 'number') return parseDeviceList(String(value));
  return parseDeviceList(JSON.stringify(value));
}

function cdiDevice(value: object): DeviceSpec {
  const spec = deviceSpecFromObject(value);
  if (spec.name === undefined) throw new KataMockError('USAGE', `[[cdi]] ${JSON.stringify(value)} has no name`);
  return spec;
}

function size(value: unknown): bigint | undefined {
  return value === undefined ? undefined : parseSize(String(value));
}
