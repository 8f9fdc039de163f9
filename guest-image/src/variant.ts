import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Base, provideBase } from './base.ts';
import { provideDriver } from './driver.ts';
import { provideKernel } from './kernel.ts';
import { buildDir, driverSource, guestAgent, projectRoot } from './paths.ts';
import { provideRootImage, type RootImageInput } from './root-image.ts';
import { provideSnapshot } from './snapshot.ts';
import { Store } from './store.ts';
import { provideToolchain } from './toolchain.ts';
import { provideWordList } from './word-list.ts';

/**
 * A root image that starts another program than the agent, for tests inside a guest. It is kept in a store of its own,
 * so that the real image stays.
 *
 * @param folder where that store is
 * @param agent folder with main.js
 * @returns path of the image
 */
export async function imageWithAgent(folder: string, agent: string): Promise<string> {
  return variant(folder, agent, await provideBase(new Store(buildDir)));
}

/** The unit's own folder, and where packages put theirs. */
const unitFolder = path.join(projectRoot, 'agent-ext/service');
const SYSTEM_UNITS = 'usr/lib/systemd/system';
const UNIT = 'kata-mock-agent.service';

/** What a Kata guest boots to. */
const TARGET = `[Unit]
Description=Kata Containers
Requires=basic.target
After=basic.target
AllowIsolate=yes
`;

/**
 * A root image whose first program is systemd, with the agent as its service: for a test of the unit. The boot's target is
 * Kata's, as the kernel command line asks for it.
 */
export async function imageWithSystemd(folder: string, agent: string): Promise<string> {
  const store = new Store(folder);
  const base = await provideBase(store, ['systemd', 'udev']);
  await store.prune('base', [base.hash]);
  const unit = await readFile(path.join(unitFolder, UNIT), 'utf8');
  const cleanUp = await readFile(path.join(unitFolder, 'clean-up.sh'), 'utf8');
  return variant(folder, agent, base, {
    recipe: `1\n${TARGET}${unit}${cleanUp}`,
    apply: async (overlay) => {
      const at = (name: string) => path.join(overlay, name);
      await rm(at('usr/sbin/init'));
      await symlink('../lib/systemd/systemd', at('usr/sbin/init'));
      // Empty: systemd makes one for this boot.
      await writeFile(at('etc/machine-id'), '');
      await mkdir(at(`${SYSTEM_UNITS}/kata-containers.target.wants`), { recursive: true });
      await writeFile(at(`${SYSTEM_UNITS}/kata-containers.target`), TARGET);
      await writeFile(at(`${SYSTEM_UNITS}/${UNIT}`), unit);
      await writeFile(at(`${guestAgent}/clean-up.sh`), cleanUp, { mode: 0o755 });
      await symlink(`../${UNIT}`, at(`${SYSTEM_UNITS}/kata-containers.target.wants/${UNIT}`));
    },
  });
}

async function variant(folder: string, agent: string, base: Base, change?: RootImageInput['change']): Promise<string> {
  const store = new Store(buildDir);
  const toolchain = await provideToolchain(store);
  const kernel = await provideKernel(store, toolchain);
  const driver = await provideDriver(store, toolchain, driverSource);
  const wordList = await provideWordList(store);
  const variants = new Store(folder);
  const snapshot = await provideSnapshot(variants, base, agent);
  const input: RootImageInput = { base, kernel, driver, toolchain, wordList, agent, snapshot };
  const image = await provideRootImage(variants, change ? { ...input, change } : input);
  await variants.prune('root', [image.hash]);
  if (snapshot) await variants.prune('snapshot', [snapshot.hash]);
  return image.file;
}
