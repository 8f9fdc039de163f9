import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { build as bundle } from 'esbuild';
import { imageWithAgent } from '../../../guest-image/src/index.ts';
import { build, root } from '../paths.ts';

/**
 * The root image whose first program is ours (guest/main.ts) instead of the agent, with the ttrpc command beside
 * it. Made once per content.
 */
export async function bareGuestImage(): Promise<string> {
  const agent = path.join(build, 'test/bare-guest-program');
  await bundle({
    entryPoints: [path.join(import.meta.dirname, 'guest/main.ts')],
    outfile: path.join(agent, 'main.js'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    conditions: ['@kata-mock/source'],
    external: ['koffi'],
    logLevel: 'warning',
  });
  copyFileSync(path.join(root, 'dist/ttrpc/main.js'), path.join(agent, 'ttrpc.js'));
  return imageWithAgent(path.join(build, 'test'), agent);
}
