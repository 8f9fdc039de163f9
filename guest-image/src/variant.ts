import { provideBase } from './base.ts';
import { provideDriver } from './driver.ts';
import { provideKernel } from './kernel.ts';
import { buildDir, driverSource } from './paths.ts';
import { provideRootImage } from './root-image.ts';
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
  const store = new Store(buildDir);
  const toolchain = await provideToolchain(store);
  const kernel = await provideKernel(store, toolchain);
  const driver = await provideDriver(store, toolchain, driverSource);
  const [base, wordList] = [await provideBase(store), await provideWordList(store)];
  const variants = new Store(folder);
  const snapshot = await provideSnapshot(variants, base, agent);
  const image = await provideRootImage(variants, { base, kernel, driver, toolchain, wordList, agent, snapshot });
  await variants.prune('root', [image.hash]);
  if (snapshot) await variants.prune('snapshot', [snapshot.hash]);
  return image.file;
}
