import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';

/** The first executable of that name on PATH (or below `extra`). */
export function findProgram(
  name: string,
  extra: string[] = [],
  env: NodeJS.ProcessEnv = process.env,
): string | undefined {
  const directories = [...(env['PATH'] ?? '').split(path.delimiter), ...extra];
  return directories
    .filter((dir) => path.isAbsolute(dir))
    .map((dir) => path.join(dir, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return statSync(file).isFile();
      } catch {
        return false;
      }
    });
}
