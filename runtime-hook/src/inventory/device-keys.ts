import { KataMockError } from '../errors.ts';
import type { DeviceSpec } from './device-spec.ts';
import { madeUpDomain } from './made-up-domain.ts';
import { quote } from './quote.ts';
import { formatSize, parseSize } from './size.ts';
import { canonicalUuid } from './uuid.ts';

/** One key of a device SPEC. A new key is one entry here and a field of DeviceSpec. */
export interface DeviceKey {
  name: string;
  /** Example value. */
  example: string;
  /** What it does and what happens without it. */
  help: string;
  /** Values that completion can offer. */
  values?: readonly string[];
  set(spec: DeviceSpec, value: string): void;
  format(spec: DeviceSpec): string | undefined;
}

export const deviceKeys: readonly DeviceKey[] = [
  {
    name: 'model',
    example: 'mock-accel',
    help: 'device model; may stand first without "model="; default mock-accel',
    values: ['mock-accel'],
    set: (spec, value) => {
      spec.model = matching(value, /^[a-z][a-z0-9-]{0,31}$/, 'a model name', 'mock-accel');
    },
    format: (spec) => spec.model,
  },
  {
    name: 'uuid',
    example: 'MOCK-0000-0001',
    help: 'RFC 4122 UUID, or up to 16 ASCII characters; default: derived from host, sandbox and index',
    set: (spec, value) => {
      spec.uuid = canonicalUuid(value);
    },
    format: (spec) => spec.uuid,
  },
  {
    name: 'memory',
    example: '16G',
    help: 'memory size the device reports, in bytes or with K, M, G, T; nothing is allocated; default 16G',
    set: (spec, value) => {
      spec.memory = parseSize(value);
    },
    format: (spec) => (spec.memory === undefined ? undefined : formatSize(spec.memory)),
  },
  {
    name: 'numa',
    example: '1',
    help: 'NUMA node of the guest; the VM gets the node if it lacks it; default: none',
    set: (spec, value) => {
      spec.numa = integer(value, 'NUMA node', 0, 127);
    },
    format: (spec) => spec.numa?.toString(),
  },
  {
    name: 'host',
    example: '0000:1a:00.0',
    help: 'PCI address the device has for software on the host; default: one that is free on this host',
    set: (spec, value) => {
      const lower = value.toLowerCase();
      spec.host = matching(lower, /^[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/, 'a PCI address', '0000:1a:00.0');
      if (spec.host.startsWith(madeUpDomain)) {
        throw bad(
          `host address ${quote(value)} is of the domain of made-up addresses`,
          'leave out host=, or use another domain',
        );
      }
    },
    format: (spec) => spec.host,
  },
  {
    name: 'path',
    example: '/dev/mock0',
    help: 'path of the device node in containers; default /dev/mock<index>',
    set: (spec, value) => {
      spec.path = containerPath(value);
    },
    format: (spec) => spec.path,
  },
  {
    name: 'bus',
    example: 'pxb',
    help: 'root-port: behind a root port of the first root complex; pxb: below an expander bus; default: pxb with numa=, else root-port',
    values: ['root-port', 'pxb'],
    set: (spec, value) => {
      if (value !== 'root-port' && value !== 'pxb') throw bad(`bus ${quote(value)} is not root-port or pxb`);
      spec.bus = value;
    },
    format: (spec) => spec.bus,
  },
  {
    name: 'name',
    example: '0',
    help: 'name within CDI kind kata-mock.dev/accel; default: the index',
    set: (spec, value) => {
      const pattern = /^[A-Za-z0-9]([A-Za-z0-9_.:-]{0,61}[A-Za-z0-9])?$/;
      spec.name = matching(value, pattern, 'a CDI device name', 'gpu0');
      if (spec.name === 'all') throw bad('the name "all" is taken: it stands for every device');
    },
    format: (spec) => spec.name,
  },
  {
    name: 'count',
    example: '4',
    help: 'how many devices like this; default 1',
    set: (spec, value) => {
      spec.count = integer(value, 'count', 1, Number.MAX_SAFE_INTEGER);
    },
    format: (spec) => (spec.count === 1 ? undefined : spec.count.toString()),
  },
];

export function findKey(name: string): DeviceKey | undefined {
  return deviceKeys.find((key) => key.name === name);
}

/** The text of `--device help`. */
export function deviceKeysHelp(): string {
  const width = Math.max(...deviceKeys.map((key) => key.name.length + key.example.length)) + 3;
  const lines = deviceKeys.map((key) => `  ${`${key.name}=${key.example}`.padEnd(width)}${key.help}`);
  return [
    'A device is written as its model and keys, in any order: mock-accel,uuid=MOCK-0000-0001,memory=16G,numa=1',
    'Every key may be left out.',
    '',
    ...lines,
  ].join('\n');
}

function containerPath(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (value.length > 255 || !/^\/[^\u0000-\u001f\u007f,;]+$/.test(value) || value.endsWith('/')) {
    throw bad(`container path ${quote(value)} is not an absolute path of a file`, 'write for example /dev/mock0');
  }
  if (value.split('/').some((part, index) => index > 0 && (part === '' || part === '.' || part === '..'))) {
    throw bad(`container path ${quote(value)} has a part "", "." or ".."`, 'write the path without detours');
  }
  return value;
}

function integer(value: string, what: string, least: number, most: number): number {
  const number = /^[0-9]{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= least && number <= most)) {
    const range = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`;
    throw bad(`${what} ${quote(value)} is not a number ${range}`);
  }
  return number;
}

function matching(value: string, pattern: RegExp, what: string, example: string): string {
  if (!pattern.test(value)) throw bad(`${quote(value)} is not ${what}`, `write for example ${example}`);
  return value;
}

function bad(message: string, hint?: string): KataMockError {
  return new KataMockError('USAGE', message, { hint });
}
