import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Hex digits of a SHA-256 that name an artefact. */
const NAME_DIGITS = 16;

/** Hash of a JSON value: the inputs of an artefact. Keys keep the order they are written in. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, NAME_DIGITS);
}

/** SHA-256 of a file's bytes, in full. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Hash over the names, modes, link targets and bytes below a folder. Times and owners do not count. */
export async function hashTree(folder: string, keep: (relative: string) => boolean = () => true): Promise<string> {
  const hash = createHash('sha256');
  const visit = async (relative: string): Promise<void> => {
    const entries = await readdir(path.join(folder, relative), { withFileTypes: true });
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const name = path.join(relative, entry.name);
      if (!keep(name)) continue;
      const file = path.join(folder, name);
      if (entry.isDirectory()) await visit(name);
      else if (entry.isSymbolicLink()) hash.update(`link ${name} ${await readlink(file)}\n`);
      else hash.update(`file ${name} ${((await lstat(file)).mode & 0o111) !== 0} ${await hashFile(file)}\n`);
    }
  };
  await visit('');
  return hash.digest('hex').slice(0, NAME_DIGITS);
}
