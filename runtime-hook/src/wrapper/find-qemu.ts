import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { KataMockError } from '../errors.ts';

const name = 'qemu-system-x86_64';

/** The real QEMU: the one that is named, else the first of PATH. */
export function findQemu(named: string | undefined, env: NodeJS.ProcessEnv): string {
  const hint = 'name a QEMU 10.1 or later in `qemu` of config.toml or in KATA_MOCK_QEMU';
  if (named !== undefined) {
    if (!path.isAbsolute(named))
      throw new KataMockError('BAD_INPUT', `QEMU "${named}" is not an absolute path`, { hint });
    if (!isProgram(named)) throw new KataMockError('HOST', `QEMU "${named}" is not a program`, { hint });
    return named;
  }
  for (const directory of (env['PATH'] ?? '').split(':')) {
    const file = path.join(directory, name);
    if (path.isAbsolute(file) && isProgram(file)) return file;
  }
  throw new KataMockError('HOST', `there is no ${name} in PATH and none is named`, { hint });
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
