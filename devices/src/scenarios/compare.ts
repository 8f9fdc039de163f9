import { isDeepStrictEqual } from 'node:util';
import type { LinuxDevice, LinuxDeviceCgroup, Spec } from '@kata-mock/oci-spec';
import type { Expectation } from './scenario.ts';

/** What one request came to. */
export interface Outcome {
  readonly error?: { readonly code: string; readonly message: string };
  readonly spec?: Spec;
  readonly addresses?: Readonly<Record<string, string>>;
  readonly writes: readonly string[];
  readonly warnings: readonly string[];
  readonly ms: number;
}

/** One line for each thing that is not as expected. */
export function compare(outcome: Outcome, expected: Expectation): string[] {
  const { spec } = outcome;
  return [
    ...compareError(outcome, expected),
    ...same('env', spec?.process?.env ?? [], expected.env),
    ...same('devices', spec?.linux?.devices?.map(describeDevice) ?? [], expected.devices),
    ...same('rules', spec?.linux?.resources?.devices?.map(describeRule) ?? [], expected.rules),
    ...same('addresses', outcome.addresses ?? {}, expected.addresses),
    ...same('writes', outcome.writes, expected.writes),
    ...contains('masked path', spec?.linux?.maskedPaths ?? [], expected.masked),
    ...(expected.warnings ?? []).flatMap((text) =>
      outcome.warnings.some((warning) => warning.includes(text)) ? [] : [`no warning says "${text}"`],
    ),
    ...(expected.withinMs !== undefined && outcome.ms > expected.withinMs
      ? [`took ${Math.round(outcome.ms)} ms, expected ${expected.withinMs} at most`]
      : []),
  ];
}

function compareError({ error }: Outcome, expected: Expectation): string[] {
  if (!expected.error) return error ? [`failed with ${error.code}: ${error.message}`] : [];
  if (!error) return [`succeeded, expected ${expected.error.code}`];
  const wrongCode = error.code === expected.error.code ? [] : [`code ${error.code}, expected ${expected.error.code}`];
  const { message } = expected.error;
  return [...wrongCode, ...(error.message.includes(message) ? [] : [`"${error.message}" does not say "${message}"`])];
}

function same(what: string, found: unknown, expected: unknown): string[] {
  if (expected === undefined || isDeepStrictEqual(found, expected)) return [];
  return [`${what} ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`];
}

function contains(what: string, found: readonly string[], expected: readonly string[] = []): string[] {
  return expected.filter((item) => !found.includes(item)).map((item) => `no ${what} ${item}`);
}

function describeDevice({ path, type, major, minor }: LinuxDevice): string {
  return `${path} ${type} ${major}:${minor}`;
}

function describeRule({ allow, type, major, minor, access }: LinuxDeviceCgroup): string {
  return `${allow ? 'allow' : 'deny'} ${type ?? 'a'} ${major ?? '*'}:${minor ?? '*'} ${access ?? ''}`;
}
