import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Bundles a program of this folder as the agent is bundled, with the agent's worker beside it: what runs in service is no
 * TypeScript that is translated while it is loaded. Needs koffi, which {@link start} tells it the place of.
 * @returns its path below `directory`
 */
export async function bundle(name: string, directory: string): Promise<string> {
  const options = {
    outdir: directory,
    bundle: true,
    platform: 'node',
    conditions: ['@kata-mock/source'],
    external: ['koffi'],
    logLevel: 'warning',
  } satisfies BuildOptions;
  await build({
    ...options,
    entryPoints: [path.join(root, 'agent-ext/bench', name)],
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    banner: { js: "import { createRequire as c } from 'node:module'; const require = c(import.meta.url);" },
  });
  await build({
    ...options,
    entryPoints: [path.join(root, 'agent-ext/src/init/reaper.worker.ts')],
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    define: { 'import.meta.url': '__moduleUrl', 'import.meta.resolve': 'undefined' },
    banner: { js: "const __moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
  });
  return path.join(directory, name.replace(/\.ts$/, '.mjs'));
}

/** Starts a bundled program by this Node; its errors are shown. */
export function start(program: string, args: readonly string[], nodeOptions: readonly string[] = []) {
  const env = { ...process.env, NODE_PATH: path.join(root, 'node_modules') };
  return spawn(process.execPath, [...nodeOptions, program, ...args], { env, stdio: ['pipe', 'pipe', 'inherit'] });
}
