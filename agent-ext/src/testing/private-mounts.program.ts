/**
 * Runs functions of a test in a mount namespace of its own: their text comes, their results go. See private-mounts.ts.
 */
import * as fs from 'node:fs';
import path from 'node:path';
import { create, type Message, type MessageInitShape } from '@bufbuild/protobuf';
import { StorageSchema, UpdateEphemeralMountsRequestSchema } from '@kata-mock/contracts';
import { mount, mountinfo, umount2 } from '@kata-mock/posix';
import type { HandlerContext } from 'ttrpc-ts';
import { updateEphemeralMounts } from '../service/handlers/update-ephemeral-mounts.ts';
import { fakeAgent } from './fake-agent.ts';

type StorageInit = Exclude<MessageInitShape<typeof StorageSchema>, Message>;

/** What a function gets: an agent with the real drivers, whose places and everything beside them are on a tmpfs. */
function makeKit() {
  const fake = fakeAgent({ directory: '/mnt/agent' });
  const { base } = fake.agent.paths;
  const { storages } = fake.agent;
  const context = {} as HandlerContext;
  return {
    fs,
    mount,
    umount: umount2,
    fake,
    base,
    /** Beside the base: not for any request. */
    secret: '/mnt/secret',
    storages,
    acquire: (storage: StorageInit) => storages.acquire(create(StorageSchema, storage)),
    /** `undefined`, or the reason of a refusal as `CODE message`. */
    refusal: (storage: StorageInit) =>
      storages.acquire(create(StorageSchema, storage)).then(
        () => undefined,
        (error: { code?: string; message: string }) => `${error.code} ${error.message}`,
      ),
    update: (list: StorageInit[]) =>
      Promise.resolve(
        updateEphemeralMounts(fake.agent)(create(UpdateEphemeralMountsRequestSchema, { storages: list }), context),
      ).then(
        () => undefined,
        (error: { code?: string; message: string }) => `${error.code} ${error.message}`,
      ),
    /** Mount points below the base, without the base. */
    mounted: () =>
      mountinfo()
        .filter(({ mountPoint }) => mountPoint.startsWith(`${base}/`))
        .map(({ mountPoint }) => mountPoint.slice(base.length)),
    mountOf: (mountPoint: string) => mountinfo().findLast((entry) => entry.mountPoint === mountPoint),
    make: (...directories: string[]) => {
      for (const directory of directories) fs.mkdirSync(path.join(base, directory), { recursive: true });
    },
  };
}

export type Kit = ReturnType<typeof makeKit>;

mount('none', '/mnt', 'tmpfs');
fs.mkdirSync('/mnt/agent');
fs.mkdirSync('/mnt/secret');
fs.writeFileSync('/mnt/secret/key', 's3cret');
const kit = makeKit();

process.on('message', async (text: string) => {
  try {
    const work = new Function(`return (${text})`)() as (kit: Kit) => unknown;
    process.send?.({ result: await work(kit) });
  } catch (error) {
    process.send?.({ error: (error as Error).stack });
  }
});
process.send?.({ result: 'ready' });
