import { pathToFileURL } from 'node:url';
import { KataMockError } from '@kata-mock/runtime-hook';
import { type BuildFailure, build, formatMessages } from 'esbuild';

/**
 * Writes the device file with all it imports as one ES module. So it may be anywhere: outside the clone Node would not find
 * our packages, and would take a file without package.json for CommonJS, which knows no top-level await.
 */
export async function bundleDevice(file: string, target: string): Promise<void> {
  const { metafile } = await build({
    entryPoints: [file],
    outfile: target,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'inline',
    metafile: true,
    logLevel: 'silent',
    define: { 'import.meta.url': JSON.stringify(pathToFileURL(file).href) },
    plugins: [
      {
        name: 'our packages stay where they are',
        setup({ onResolve }) {
          onResolve({ filter: /^@kata-mock\// }, ({ path }) => ({ path: import.meta.resolve(path), external: true }));
        },
      },
    ],
  }).catch(async (failure: BuildFailure) => {
    const text = await formatMessages(failure.errors, { kind: 'error', color: process.stderr.isTTY === true });
    throw new KataMockError('BAD_INPUT', `${file} cannot be loaded:\n\n${text.join('').trimEnd()}`);
  });
  const exported = Object.values(metafile.outputs).flatMap((output) => output.exports);
  if (exported.includes('default')) return;
  throw new KataMockError('BAD_INPUT', `${file} has no default export`, {
    hint: 'a device file says `export default pciDevice({ … })`; see vfio-user/README.md',
  });
}
