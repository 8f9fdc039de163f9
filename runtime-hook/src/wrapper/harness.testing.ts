/** The real wrapper and the real hook, bundled from the sources, with a fake QEMU. */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';

const root = path.resolve(import.meta.dirname, '../../..');

/**
 * Says what it was started with, and then lives until its standard input ends, like a QEMU whose VM runs. Being sh, it
 * has no open file of its own but its script.
 */
const fakeQemu = `#!/bin/sh
{
	echo "$$"
	[ $# -eq 0 ] || printf '%s\\0' "$@"
} >"$KATA_MOCK_FAKE_OUT.draft"
mv "$KATA_MOCK_FAKE_OUT.draft" "$KATA_MOCK_FAKE_OUT"
[ -z "$KATA_MOCK_FAKE_EXIT" ] || exit "$KATA_MOCK_FAKE_EXIT"
while read -r line; do :; done
`;

export interface Harness {
  /** Directory that holds everything. */
  tree: string;
  wrapper: string;
  remove(): void;
}

/**
 * Bundles the hook into a tree of its own, laid out as the clone, since the wrapper finds the hook by its place. What
 * a build may have left in the clone plays no part.
 */
export async function makeHarness(): Promise<Harness> {
  // Short: device sockets live below it.
  const tree = mkdtempSync(path.join(tmpdir(), 'kmw-'));
  await build({
    entryPoints: [
      { in: path.join(root, 'runtime-hook/src/wrapper/main.ts'), out: 'main' },
      { in: path.join(root, 'vfio-user/src/host/function.worker.ts'), out: 'function.worker' },
    ],
    outdir: path.join(tree, 'dist/hook'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    conditions: ['@kata-mock/source'],
    external: ['koffi'],
    logLevel: 'error',
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
  cpSync(path.join(root, 'runtime-hook/wrapper'), path.join(tree, 'runtime-hook/wrapper'), { recursive: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(tree, 'node_modules'));
  writeFileSync(path.join(tree, 'qemu'), fakeQemu, { mode: 0o755 });
  writeFileSync(path.join(tree, 'package.json'), '{"type":"module"}');
  return {
    tree,
    wrapper: path.join(tree, 'runtime-hook/wrapper/kata-mock-qemu'),
    remove: () => rmSync(tree, { recursive: true }),
  };
}

export interface StartOptions {
  args: readonly string[];
  annotations?: Record<string, string>;
  env?: Record<string, string>;
  /** Descriptors for QEMU, by their number there. */
  fds?: Record<number, number>;
  config?: string;
}

/** What the fake QEMU found. */
export interface Seen {
  pid: number;
  args: string[];
}

export interface Started {
  child: ChildProcess;
  runDirectory: string;
  bundle: string;
  /** Rejects with what the wrapper said when it ends without QEMU. */
  seen: Promise<Seen>;
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stderr: string }>;
}

let starts = 0;

/** Starts the wrapper as Kata does: in the sandbox's bundle, with descriptors, standard error a pipe. */
export function startWrapper({ tree, wrapper }: Harness, options: StartOptions): Started {
  const place = path.join(tree, String(starts++));
  const [bundle, runDirectory, out] = [path.join(place, 'b'), path.join(place, 'r'), path.join(place, 'seen')];
  mkdirSync(bundle, { recursive: true });
  writeFileSync(path.join(bundle, 'config.json'), JSON.stringify({ annotations: options.annotations ?? {} }));
  writeFileSync(path.join(place, 'config.toml'), options.config ?? '');
  const stdio: ('pipe' | 'ignore' | number)[] = ['pipe', 'ignore', 'pipe'];
  for (const [number, fd] of Object.entries(options.fds ?? {})) stdio[Number(number)] = fd;
  const child = spawn(wrapper, options.args, {
    cwd: bundle,
    // A hole in the list is a closed descriptor.
    stdio: Array.from(stdio, (entry) => entry ?? null) as 'pipe'[],
    env: {
      PATH: process.env['PATH'] ?? '',
      KATA_MOCK_QEMU: path.join(tree, 'qemu'),
      KATA_MOCK_RUN_DIR: runDirectory,
      KATA_MOCK_CONFIG: path.join(place, 'config.toml'),
      KATA_MOCK_FAKE_OUT: out,
      ...options.env,
    },
  });
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  const ended = new Promise<Awaited<Started['ended']>>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal, stderr })),
  );
  const seen = Promise.race([
    until(() => existsSync(out)).then(() => parseSeen(readFileSync(out, 'utf8'))),
    ended.then(({ code, stderr }): Seen => {
      if (existsSync(out)) return parseSeen(readFileSync(out, 'utf8'));
      throw new Error(`wrapper ended with ${code}: ${stderr}`);
    }),
  ]);
  seen.catch(() => {});
  return { child, runDirectory, bundle, seen, ended };
}

/** Waits until something holds that another process brings about; the test's own deadline ends it. */
export function until(isTrue: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      try {
        if (!isTrue()) return setTimeout(look, 5);
        return resolve();
      } catch (error) {
        return reject(error);
      }
    };
    look();
  });
}

/** Every file below a directory, but lock files, which stay. */
export function filesBelow(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && entry.name !== '.lock')
    .map((entry) => path.join(entry.parentPath, entry.name));
}

function parseSeen(text: string): Seen {
  const end = text.indexOf('\n');
  return {
    pid: Number(text.slice(0, end)),
    args: text
      .slice(end + 1)
      .split('\0')
      .slice(0, -1),
  };
}
