import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build as bundle } from 'esbuild';
import { imageWithAgent } from '../../../guest-image/src/index.ts';
import { guestProgram } from '../guest-program.ts';
import { build, root } from '../paths.ts';

/**
 * The root image whose first program is ours (guest/main.ts) instead of the agent, with the ttrpc command beside
 * it. Made once per content.
 */
export async function bareGuestImage(): Promise<string> {
  const agent = path.join(build, 'test/bare-guest-program');
  const { outputFiles } = await bundle({
    ...guestProgram,
    entryPoints: [path.join(import.meta.dirname, 'guest/main.ts')],
    write: false,
  });
  mkdirSync(agent, { recursive: true });
  provide(path.join(agent, 'main.js'), outputFiles[0]!.contents);
  provide(path.join(agent, 'ttrpc.js'), readFileSync(path.join(root, 'dist/ttrpc/main.js')));
  return imageWithAgent(path.join(build, 'test'), agent);
}

/** Writes a file in one go, and only if it differs: another test may be packing it into its image at this moment. */
function provide(file: string, contents: Uint8Array): void {
  if (existsSync(file) && readFileSync(file).equals(contents)) return;
  const scratch = path.join(build, 'test', `${path.basename(file)}.${process.pid}`);
  writeFileSync(scratch, contents);
  renameSync(scratch, file);
}
