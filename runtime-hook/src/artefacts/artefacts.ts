/** Finds what set-up made (QEMU, virtiofsd, kernel, images) through build/artefacts.json of the clone. */
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { KataMockError } from '../errors.ts';

export interface Artefacts {
  qemu: { path: string; version: string; source: 'host' | 'private' };
  virtiofsd: { path: string };
  kernel: string;
  initrd: string;
  /** Appended by the hook as a read-only disk. */
  rootImage: string;
  /** Busybox root for containers without a bundle. */
  rootfs: string;
  /** The hook's wrapper; the clone's unless the file names another. */
  wrapper: string;
  hashes: Record<string, string>;
}

const setUpHint = 'run `make setup` in the clone (or `make demo`, which includes it)';

/**
 * Where the clone is: the nearest directory above this file that has guest-image/. Holds for the sources and for
 * the bundle in dist/kata-mock.
 */
export function cloneRoot(from = fileURLToPath(import.meta.url)): string {
  for (let dir = path.dirname(from); ; dir = path.dirname(dir)) {
    if (existsSync(path.join(dir, 'guest-image')) && existsSync(path.join(dir, 'runtime-hook'))) return dir;
    if (dir === path.dirname(dir)) throw new KataMockError('HOST', `${from} is not inside a clone of kata-mock`);
  }
}

/** KATA_MOCK_ARTEFACTS names another artefacts.json. */
export function artefactsPath(env: NodeJS.ProcessEnv = process.env): string {
  return env['KATA_MOCK_ARTEFACTS'] ?? path.join(cloneRoot(), 'build/artefacts.json');
}

/** Reads the file and checks that everything it names is there. */
export function loadArtefacts(file = artefactsPath()): Artefacts {
  const json = readJson(file);
  const find = finder(file);
  return {
    qemu: qemuOf(json, find),
    virtiofsd: virtiofsdOf(json, find),
    kernel: find(json['kernel'], 'kernel', 'file'),
    initrd: find(json['initrd'], 'initrd', 'file'),
    rootImage: find(json['rootImage'], 'root image', 'file'),
    rootfs: find(json['rootfs'], 'container root', 'directory'),
    wrapper: find(
      json['wrapper'] ?? path.join(cloneRoot(), 'runtime-hook/wrapper/kata-mock-qemu'),
      'wrapper',
      'program',
    ),
    hashes: (json['hashes'] ?? {}) as Record<string, string>,
  };
}

/** Only QEMU, for `check`: what else is missing has its own line there. */
export function loadQemu(file = artefactsPath()): Artefacts['qemu'] {
  return qemuOf(readJson(file), finder(file));
}

/** Only virtiofsd, likewise. */
export function loadVirtiofsd(file = artefactsPath()): Artefacts['virtiofsd'] {
  return virtiofsdOf(readJson(file), finder(file));
}

type Kind = 'program' | 'file' | 'directory';
type Find = (value: unknown, what: string, kind: Kind) => string;

function qemuOf(json: Record<string, unknown>, find: Find): Artefacts['qemu'] {
  const qemu = (json['qemu'] ?? {}) as Record<string, unknown>;
  return {
    path: find(qemu['path'], 'QEMU', 'program'),
    version: String(qemu['version'] ?? 'unknown'),
    source: qemu['source'] === 'host' ? 'host' : 'private',
  };
}

function virtiofsdOf(json: Record<string, unknown>, find: Find): Artefacts['virtiofsd'] {
  const virtiofsd = (json['virtiofsd'] ?? {}) as Record<string, unknown>;
  return { path: find(virtiofsd['path'], 'virtiofsd', 'program') };
}

/** Paths are absolute or relative to the file. */
function finder(file: string): Find {
  return (value, what, kind) => {
    if (typeof value !== 'string') throw new KataMockError('HOST', `${file} names no ${what}`, { hint: setUpHint });
    const found = path.resolve(path.dirname(file), value);
    checkKind(found, what, kind);
    return found;
  };
}

function readJson(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new KataMockError('HOST', `${file} is missing: this clone has not been set up`, { cause, hint: setUpHint });
  }
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === 'object' && json !== null && (json as { version?: unknown }).version === 1) {
      return json as Record<string, unknown>;
    }
  } catch (cause) {
    throw new KataMockError('HOST', `${file} is not JSON: ${(cause as Error).message}`, { cause, hint: setUpHint });
  }
  throw new KataMockError('HOST', `${file} is not of version 1`, { hint: setUpHint });
}

function checkKind(found: string, what: string, kind: Kind): void {
  const stat = statSync(found, { throwIfNoEntry: false });
  if (!stat) throw new KataMockError('HOST', `there is no ${what} at ${found}`, { hint: setUpHint });
  if (kind === 'directory' ? !stat.isDirectory() : !stat.isFile()) {
    throw new KataMockError('HOST', `the ${what} at ${found} is not a ${kind}`, { hint: setUpHint });
  }
  if (kind !== 'program') return;
  try {
    accessSync(found, constants.X_OK);
  } catch (cause) {
    throw new KataMockError('HOST', `the ${what} at ${found} cannot be executed`, { cause, hint: setUpHint });
  }
}
