import type { DeviceSettings, UntranslatedPolicy } from '@kata-mock/devices';
import { defaultSettings } from '@kata-mock/devices';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** Settings of the agent. */
export interface AgentConfig {
  readonly logLevel: LogLevel;
  /** ttrpc addresses to listen on. */
  readonly listen: readonly string[];
  /** Name of the virtio-serial port that carries one ttrpc connection; empty for none. */
  readonly virtioPort: string;
  readonly devices: DeviceSettings;
  /** Another agent to put in front of: its ttrpc address; empty to run containers with runc. */
  readonly proxyTo: string;
}

export const defaultConfig: AgentConfig = {
  logLevel: 'info',
  listen: ['vsock://-1:1024'],
  virtioPort: 'io.kata-mock.agent',
  devices: defaultSettings,
  proxyTo: '',
};

const LEVELS: Readonly<Record<string, LogLevel>> = {
  trace: 'trace',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  critical: 'error',
};

/** Words of the kernel command line that are read here. */
const WORDS: ReadonlySet<string> = new Set([
  'agent.log',
  'agent.server_addr',
  'agent.hotplug_timeout',
  'agent.cdi_timeout',
  'agent.visible_cdi_devices',
  'agent.kata_mock.port',
  'agent.kata_mock.proxy',
  'agent.kata_mock.untranslated',
]);
/** Variables of Kata's agent, and the words they stand before. */
const VARIABLES: Readonly<Record<string, string>> = {
  KATA_AGENT_SERVER_ADDR: 'agent.server_addr',
  KATA_AGENT_LOG_LEVEL: 'agent.log',
};

/**
 * What is meant for an agent and has no effect on this one, by name: values may be secrets. For an agent that stands in
 * front of another it is the other's.
 */
export function unusedSettings(entries: ReadonlyMap<string, string>, env: NodeJS.ProcessEnv): string[] {
  const words = [...entries.keys()].filter((word) => word.startsWith('agent.') && !WORDS.has(word));
  const variables = Object.keys(env).filter((name) => name.startsWith('KATA_AGENT_') && !(name in VARIABLES));
  return [...words, ...variables];
}

/**
 * Settings from the kernel command line (`agent.*`, the names of Kata's agent; ours begin with `agent.kata_mock.`) and,
 * before that, from the variables of Kata's agent. A value that cannot be read keeps the default and is told to `warn`:
 * a guest that does not boot tells nobody.
 */
export function configFrom(
  commandLine: ReadonlyMap<string, string>,
  warn: (message: string) => void,
  env: NodeJS.ProcessEnv = {},
): AgentConfig {
  const entries = new Map(commandLine);
  for (const [name, word] of Object.entries(VARIABLES)) if (env[name]) entries.set(word, env[name]);
  const read = <T>(key: string, parse: (text: string) => T | undefined, fallback: T): T => {
    const text = entries.get(key);
    if (text === undefined) return fallback;
    const value = parse(text);
    if (value === undefined) warn(`${key}=${text} cannot be read, using the default`);
    return value ?? fallback;
  };
  const { devices } = defaultConfig;
  const listen = entries.get('agent.server_addr');
  return {
    logLevel: read('agent.log', (text) => LEVELS[text], defaultConfig.logLevel),
    listen: listen ? [listen] : defaultConfig.listen,
    virtioPort: entries.get('agent.kata_mock.port') ?? defaultConfig.virtioPort,
    devices: {
      hotplugTimeoutMs: read('agent.hotplug_timeout', seconds, devices.hotplugTimeoutMs),
      cdiTimeoutMs: read('agent.cdi_timeout', seconds, devices.cdiTimeoutMs),
      visibleCdiDevices: read('agent.visible_cdi_devices', boolean, devices.visibleCdiDevices),
      untranslated: read('agent.kata_mock.untranslated', policy, devices.untranslated),
    },
    proxyTo: entries.get('agent.kata_mock.proxy') ?? defaultConfig.proxyTo,
  };
}

function seconds(text: string): number | undefined {
  return /^\d{1,6}$/.test(text) ? Number(text) * 1000 : undefined;
}

function boolean(text: string): boolean | undefined {
  return text === '' || text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : undefined;
}

function policy(text: string): UntranslatedPolicy | undefined {
  return text === 'warn' || text === 'error' ? text : undefined;
}
