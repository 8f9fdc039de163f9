import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseSpec, type Spec, SpecError, validateSpec } from '@kata-mock/oci-spec';
import { KataMockError } from '../../errors.ts';

/** A container's input: its spec and its root file system on the host (absolute). */
export interface ContainerInput {
  spec: Spec;
  rootfs: string;
  /** Where relative mount sources start: the bundle, absent without one. */
  bundle?: string;
}

/** Longest config.json taken, in bytes; `runc spec` writes 3 KiB. */
const maxConfigBytes = 4 * 1024 * 1024;

/** Reads `<dir>/config.json` as it is. */
export function readBundle(dir: string): ContainerInput {
  const bundle = path.resolve(dir);
  const config = path.join(bundle, 'config.json');
  const spec = parseConfig(config, readConfig(bundle, config));
  const root = spec.root?.path;
  if (root === undefined) {
    throw new KataMockError('BAD_INPUT', `${config}: "root" is missing; a Linux container needs root.path`);
  }
  return { spec, rootfs: directory(path.resolve(bundle, root), `root.path "${root}" of ${config}`), bundle };
}

/** A path that must be a directory; `what` names it in the message. */
export function directory(dir: string, what: string): string {
  const stat = statSync(dir, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return dir;
  throw new KataMockError('BAD_INPUT', `${what}: ${stat ? `${dir} is not a directory` : `there is no ${dir}`}`);
}

function readConfig(bundle: string, config: string): Uint8Array {
  directory(bundle, 'bundle');
  const stat = statSync(config, { throwIfNoEntry: false });
  if (!stat?.isFile()) {
    throw new KataMockError('BAD_INPUT', `bundle ${bundle} has no config.json`, {
      hint: `make one: runc spec --bundle ${bundle}`,
    });
  }
  if (stat.size > maxConfigBytes) {
    throw new KataMockError('BAD_INPUT', `${config} has ${stat.size} bytes; at most ${maxConfigBytes} are read`);
  }
  return readFileSync(config);
}

function parseConfig(config: string, bytes: Uint8Array): Spec {
  try {
    const spec = parseSpec(bytes);
    validateSpec(spec);
    return spec;
  } catch (cause) {
    if (!(cause instanceof SpecError)) throw cause;
    throw new KataMockError('BAD_INPUT', `${config} is not an OCI runtime spec: ${cause.message}`, {
      cause,
      hint: 'see https://github.com/opencontainers/runtime-spec, or write a fresh one with: runc spec',
    });
  }
}
