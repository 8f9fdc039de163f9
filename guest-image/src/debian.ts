import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { hostMirror, type Mirror, sourceLines } from './apt-sources.ts';
import { run } from './command.ts';

/** The Debian release everything is taken from: stable, so its Release file does not expire. */
export const RELEASE = 'trixie';

/** Date of every file we make, so that two builds from the same packages give the same bytes (2025-08-09, Debian 13). */
export const SOURCE_DATE_EPOCH = '1754697600';

export interface PackageSet {
  packages: readonly string[];
  /** Also offer trixie-backports and prefer it. */
  backports?: boolean;
}

let mirror: Promise<Mirror> | undefined;

/**
 * Unpacks packages and what they depend on below `folder`/root, without running their maintainer scripts: fast, the same
 * bytes each time, and nothing of the host is touched. `folder`/packages names each archive with its version.
 */
export async function extractPackages(folder: string, { packages, backports = false }: PackageSet): Promise<string> {
  mirror ??= hostMirror();
  const source = await mirror;
  const root = path.join(folder, 'root');
  await mkdir(folder, { recursive: true });
  const aptOptions = [
    'APT::Install-Recommends "false"',
    ...(backports ? [`APT::Default-Release "${RELEASE}-backports"`] : []),
    ...source.aptOptions,
  ];
  const args = [
    '--variant=extract',
    `--include=${packages.join(',')}`,
    ...aptOptions.map((option) => `--aptopt=${option}`),
    '--setup-hook=mkdir -p "$1/var/cache/apt/archives"',
    '--extract-hook=ls "$1/var/cache/apt/archives" > "$1/packages"',
    RELEASE,
    root,
    '-', // sources come from stdin
  ];
  await run('mmdebstrap', args, {
    root: true,
    env: { SOURCE_DATE_EPOCH },
    input: sourceLines(source, RELEASE, backports),
    hint: 'install Debian package mmdebstrap (npx tsx guest-image/setup.ts packages)',
  });
  await run('mv', [path.join(root, 'packages'), path.join(folder, 'packages')], { root: true });
  return root;
}

/** Command that runs a program of an unpacked root on this host through that root's own loader and libraries. */
export function loaderCommand(root: string, program: string): [string, string[]] {
  return [
    path.join(root, 'usr/lib64/ld-linux-x86-64.so.2'),
    ['--library-path', path.join(root, 'usr/lib/x86_64-linux-gnu'), path.join(root, program)],
  ];
}

/** Runs a program of an unpacked root on this host. */
export async function runFrom(root: string, program: string, args: string[], options: Parameters<typeof run>[2] = {}) {
  const [file, first] = loaderCommand(root, program);
  return run(file, [...first, ...args], { ...options, env: { SOURCE_DATE_EPOCH, ...options.env } });
}
