import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { buildNative, placeNative } from '../../posix/tools/native.ts';

const here = path.dirname(fileURLToPath(import.meta.url));
const outdir = path.join(here, '../dist/bench');

/** The host's program, bundled as tools/bundle.ts does it. */
export const hostProgram = path.join(outdir, 'host.cjs');

/** Compiles client and floor to `work`, bundles the host. Returns what its system calls go through. */
export async function prepare(work: string): Promise<'addon' | 'koffi'> {
  for (const name of ['client', 'floor'])
    execFileSync('cc', ['-O2', '-Wall', '-o', path.join(work, name), path.join(here, `${name}.c`)]);
  const common = {
    bundle: true,
    outdir,
    platform: 'node',
    target: 'node20',
    conditions: ['@kata-mock/source'],
    external: ['koffi'],
    logLevel: 'warning',
    minify: true,
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    define: { 'import.meta.url': '__moduleUrl', 'import.meta.resolve': 'undefined' },
    banner: { js: "const __moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
  } satisfies BuildOptions;
  const worker = { in: path.join(here, '../src/host/function.worker.ts'), out: 'function.worker' };
  await build({ ...common, entryPoints: [{ in: path.join(here, 'host.ts'), out: 'host' }, worker] });
  const native = buildNative();
  if ('missing' in native) return 'koffi';
  placeNative(native.file, outdir);
  return process.env['KATA_MOCK_POSIX'] === 'koffi' ? 'koffi' : 'addon';
}
