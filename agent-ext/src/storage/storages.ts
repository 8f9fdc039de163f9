import type { Storage } from '@kata-mock/contracts';
import { AgentError } from '../errors.ts';
import { bind } from './bind.ts';
import { block } from './block.ts';
import { ephemeral } from './ephemeral.ts';
import { applyFsGroup } from './fs-group.ts';
import { local } from './local.ts';
import { overlay } from './overlay.ts';
import { checkBelow } from './safe-path.ts';
import type { StorageContext, StorageDriver, Unmount } from './storage.ts';
import { virtioFs } from './virtio-fs.ts';
import { watchable } from './watchable.ts';

const drivers: readonly StorageDriver[] = [virtioFs, ephemeral, local, bind, watchable, overlay, block];

/** Driver names, for GetGuestDetails. */
export const storageDrivers: readonly string[] = drivers.flatMap((driver) => driver.names);

interface Mounted {
  users: number;
  readonly storage: Storage;
  readonly ready: Promise<Unmount | undefined>;
  /** Being unmounted: who wants it again waits for the end of that. */
  leaving?: Promise<void>;
}

/** The storages of a sandbox by mount point. Several containers may name the same one: it is mounted once. */
export class Storages {
  readonly #context: StorageContext;
  readonly #drivers: readonly StorageDriver[];
  readonly #mounted = new Map<string, Mounted>();

  constructor(context: StorageContext, served: readonly StorageDriver[] = drivers) {
    this.#context = context;
    this.#drivers = served;
  }

  /** Mounts, or takes a reference to what is mounted there. Returns the key for `release`. */
  async acquire(storage: Storage): Promise<string> {
    const key = this.#key(storage);
    const driver = this.#drivers.find((candidate) => candidate.names.includes(storage.driver));
    if (!driver) {
      const known = storageDrivers.join(', ');
      throw new AgentError(
        'INVALID_ARGUMENT',
        `Failed to find the storage handler "${storage.driver}"; known: ${known}`,
      );
    }
    for (let there = this.#mounted.get(key); there?.leaving; there = this.#mounted.get(key)) {
      await there.leaving.catch(() => {});
    }
    const mounted = this.#mounted.get(key) ?? this.#mount(key, driver, { ...storage, mountPoint: key });
    mounted.users++;
    try {
      await mounted.ready;
    } catch (error) {
      if (this.#mounted.get(key) === mounted) this.#mounted.delete(key);
      throw error;
    }
    return key;
  }

  /** Mount points in use. */
  get mountPoints(): readonly string[] {
    return [...this.#mounted.keys()];
  }

  /** What is mounted at the mount point of a storage, as it was asked for. */
  find(storage: Storage): Storage | undefined {
    return this.#mounted.get(this.#key(storage))?.storage;
  }

  /** Keeps what is mounted until the sandbox ends, for containers to come: Kata 4.1's `shared`. */
  keep(key: string): void {
    const mounted = this.#mounted.get(key);
    if (mounted) mounted.users = Number.POSITIVE_INFINITY;
  }

  /** Gives a reference back; the last one unmounts. */
  async release(key: string): Promise<void> {
    const mounted = this.#mounted.get(key);
    if (!mounted || mounted.leaving || --mounted.users > 0) return;
    await this.#unmount(key, mounted);
  }

  /** Unmounts everything, newest first; for DestroySandbox. */
  async releaseAll(onError: (key: string, error: unknown) => void): Promise<void> {
    for (const [key, mounted] of [...this.#mounted].reverse()) {
      await this.#unmount(key, mounted).catch((error: unknown) => onError(key, error));
    }
  }

  #key({ mountPoint }: Storage): string {
    const key = mountPoint.replace(/\/+$/, '');
    checkBelow(this.#context.base, key, 'mount point');
    return key;
  }

  #mount(key: string, driver: StorageDriver, storage: Storage): Mounted {
    const ready = mountAndGive(this.#context, driver, storage);
    const mounted: Mounted = { users: 0, storage, ready };
    this.#mounted.set(key, mounted);
    return mounted;
  }

  #unmount(key: string, mounted: Mounted): Promise<void> {
    mounted.leaving ??= mounted.ready
      .then((unmount) => unmount?.())
      .finally(() => {
        this.#mounted.delete(key);
      });
    return mounted.leaving;
  }
}

async function mountAndGive(
  context: StorageContext,
  driver: StorageDriver,
  storage: Storage,
): Promise<Unmount | undefined> {
  const unmount = await driver.mount(context, storage);
  try {
    if (storage.fsGroup) await applyFsGroup(context.base, storage.mountPoint, storage.fsGroup);
  } catch (error) {
    await unmount?.();
    throw error;
  }
  return unmount;
}
