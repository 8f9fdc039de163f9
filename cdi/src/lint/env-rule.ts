import type { Rule } from './finding.ts';

/** Variables that several devices of a file set to different values: a container that gets both sees the last one only. */
export const overlappingEnv: Rule = function* ({ spec }) {
  const seen = new Map<string, { value: string; device: string }>();
  const told = new Set<string>();
  for (const [index, device] of spec.devices.entries()) {
    for (const [at, entry] of (device.containerEdits.env ?? []).entries()) {
      const name = entry.slice(0, entry.indexOf('='));
      const value = entry.slice(name.length + 1);
      const first = seen.get(name);
      if (!first) seen.set(name, { value, device: device.name });
      else if (first.value !== value && first.device !== device.name && !told.has(name)) {
        told.add(name);
        yield {
          severity: 'note',
          path: `$.devices[${index}].containerEdits.env[${at}]`,
          message: `devices ${first.device} and ${device.name} set ${name} to different values; asked for both, a container sees the last`,
          fix: 'give each device a variable of its own',
        };
      }
    }
  }
};
