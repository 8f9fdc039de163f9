/**
 * Bundles each program into dist/<program>/ for Node, one file a program plus one a worker.
 * A worker is a source file named `<name>.worker.ts`; it lands beside the program as `<name>.worker.cjs`,
 * which is where `workerUrl()` of @kata-mock/posix looks for it.
 */

import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { globSync } from 'tinyglobby';
import { guestAgent } from '../guest-image/src/paths.ts';
import { buildNative, placeNative } from '../posix/tools/native.ts';
import { programs } from './programs.ts';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  conditions: ['@kata-mock/source'],
  external: ['koffi'],
  legalComments: 'none',
  logLevel: 'warning',
} satisfies BuildOptions;

const esm = {
  format: 'esm',
  // CommonJS dependencies (pino, grpc-js) call require() for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
} satisfies BuildOptions;

/** Starts without Node's loader of ES modules: 4 ms and 1.4 MB less. */
const commonJs = {
  format: 'cjs',
  define: { 'import.meta.url': '__moduleUrl', 'import.meta.resolve': 'undefined' },
  banner: { js: "const __moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
} satisfies BuildOptions;

const native = buildNative();
if ('missing' in native) console.log(`no native part, system calls go through koffi, slower: ${native.missing}`);

for (const program of programs) {
  const workers = program.packages.flatMap((name) => globSync(`${name}/src/**/*.worker.ts`, { cwd: root }));
  const outdir = path.join(root, 'dist', program.name);
  const { metafile } = await build({
    ...common,
    entryPoints: [{ in: path.join(root, program.entry), out: 'main' }],
    outdir,
    metafile: true,
    sourcemap: 'linked',
    sourcesContent: false,
    ...(program.commonJs ? commonJs : esm),
    ...program.options,
  });
  writeFileSync(path.join(outdir, 'package.json'), `{"type":"${program.commonJs ? 'commonjs' : 'module'}"}\n`);
  await build({ ...common, ...workerOptions(workers, outdir) });
  // Chunks are named by their content: those of earlier builds would pile up.
  const written = new Set(Object.keys(metafile.outputs).map((file) => path.resolve(file)));
  for (const file of globSync('*.js{,.map}', { cwd: outdir, absolute: true })) if (!written.has(file)) rmSync(file);
  // The guest's image must not depend on the host's compiler.
  if ('file' in native && program.name !== 'agent') placeNative(native.file, outdir);
  if (program.snapshot) await build({ ...common, ...snapshotOptions(program.snapshot, outdir) });
  console.log(`bundled ${program.name} (${1 + workers.length} files)`);
}

function workerOptions(workers: readonly string[], outdir: string): BuildOptions {
  return {
    entryPoints: workers.map((file) => ({ in: path.join(root, file), out: path.basename(file, '.ts') })),
    outdir,
    outExtension: { '.js': '.cjs' },
    minify: true,
    sourcemap: 'linked',
    sourcesContent: false,
    ...commonJs,
  };
}

/**
 * Node makes a snapshot of one CommonJS script, `snapshot.cjs` beside the program. That script has no import.meta, so it is
 * given the place of the program's main.js, where its workers and koffi are found in the guest.
 */
function snapshotOptions(entry: string, outdir: string): BuildOptions {
  const builtIn = path.join(root, path.dirname(entry), 'built-in.ts');
  return {
    entryPoints: [path.join(root, entry)],
    outfile: path.join(outdir, 'snapshot.cjs'),
    format: 'cjs',
    minify: true,
    define: { 'import.meta.url': JSON.stringify(`file://${guestAgent}/main.js`), 'import.meta.resolve': 'undefined' },
    alias: { 'node:worker_threads': builtIn, worker_threads: builtIn, 'node:module': builtIn },
  };
}
