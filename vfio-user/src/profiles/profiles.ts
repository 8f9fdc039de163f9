/** Profiles: named sets of mock-accel options in a JSON file, so that a device can look like any SKU. */
import { readFileSync } from 'node:fs';
import { VfioUserError } from '../errors.ts';
import { type MockAccelOptions, resolveOptions } from '../mock-accel/options.ts';

/** The file: `{"version": 1, "profiles": {"name": {options…}}}`; schema in profiles.schema.json. */
export interface ProfileFile {
  version: 1;
  profiles: Record<string, MockAccelOptions>;
}

/** Reads and checks a file. Throws INVALID_OPTION that names the file, the profile and the option. */
export function readProfiles(path: string): ProfileFile {
  const refuse = (reason: string) =>
    new VfioUserError('INVALID_OPTION', `profile file ${JSON.stringify(path)}: ${reason}`);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw refuse((cause as Error).message);
  }
  const file = value as Partial<ProfileFile> | null;
  if (typeof file !== 'object' || file === null || file.version !== 1) throw refuse('it has no "version": 1');
  const { profiles } = file;
  if (typeof profiles !== 'object' || profiles === null || Array.isArray(profiles))
    throw refuse('it has no object "profiles"');
  const extra = Object.keys(file).filter((key) => !['$schema', 'version', 'profiles'].includes(key));
  if (extra.length > 0) throw refuse(`unknown key ${JSON.stringify(extra[0])}`);
  for (const [name, options] of Object.entries(profiles)) {
    if (typeof options !== 'object' || options === null) throw refuse(`profile ${JSON.stringify(name)} is no object`);
    try {
      resolveOptions(options);
    } catch (error) {
      throw refuse(`profile ${JSON.stringify(name)}: ${(error as Error).message}`);
    }
  }
  return { version: 1, profiles };
}

/** The options of one profile; the file's only one when no name is given. */
export function profileOptions(path: string, name?: string): MockAccelOptions {
  const { profiles } = readProfiles(path);
  const names = Object.keys(profiles);
  const wanted = name ?? (names.length === 1 ? names[0] : undefined);
  if (wanted === undefined || !Object.hasOwn(profiles, wanted))
    throw new VfioUserError(
      'NOT_FOUND',
      `profile ${JSON.stringify(name ?? '')}: ${path} has ${names.join(', ') || 'none'}`,
    );
  return profiles[wanted]!;
}
