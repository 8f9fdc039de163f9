import { stringifyJson } from '@kata-mock/oci-spec';
import { stringify } from 'yaml';
import type { CdiSpec } from '../types.ts';

/**
 * The text of a spec file. Members are in the order of the CDI specification, so equal specs give equal bytes.
 * @param format `json` on one line, or `yaml`
 */
export function formatCdiSpec(spec: CdiSpec, format: 'json' | 'yaml'): string {
  const ordered = order(spec);
  return format === 'json' ? `${stringifyJson(ordered)}\n` : `---\n${toYaml(ordered)}`;
}

/** YAML that both a 1.1 and a 1.2 reader take for the same: `"yes"` and `"0600"` get quotes. */
export function toYaml(value: unknown): string {
  return stringify(value, { version: '1.1', compat: 'core', indent: 4, lineWidth: 0, aliasDuplicateObjects: false });
}

const MEMBERS = [
  ...['cdiVersion', 'kind', 'name', 'annotations', 'devices', 'containerEdits'],
  ...['env', 'deviceNodes', 'netDevices', 'hooks', 'mounts', 'intelRdt', 'additionalGids', 'deviceCgroupRules'],
  ...['hookName', 'hostInterfaceName', 'path', 'hostPath', 'containerPath', 'args', 'timeout', 'options'],
  ...['type', 'major', 'minor', 'fileMode', 'permissions', 'uid', 'gid'],
  ...['closID', 'l3CacheSchema', 'memBwSchema', 'schemata', 'enableMonitoring'],
];
const rank = new Map(MEMBERS.map((name, index) => [name, index]));

function order(value: unknown, inMap = false): unknown {
  if (Array.isArray(value)) return value.map((item) => order(item));
  if (typeof value !== 'object' || value === null) return value;
  const names = Object.keys(value).filter((name) => (value as Record<string, unknown>)[name] !== undefined);
  const place = (name: string) => (inMap ? 0 : (rank.get(name) ?? MEMBERS.length));
  names.sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
  return Object.fromEntries(
    names.map((name) => [name, order((value as Record<string, unknown>)[name], name === 'annotations')]),
  );
}
