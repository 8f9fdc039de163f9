import { linkSync, mkdirSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { KataMockError } from '../errors.ts';
import { isAlive } from '../vm/process/identity.ts';
import { madeUpAddresses } from './addresses.ts';
import { type Lease, parseLease } from './lease.ts';
import { withLock } from './lock.ts';

/**
 * Leases on host addresses, one file each in `<run dir>/leases`, so that two sandboxes at once never have the same
 * made-up address.
 *
 * INVARIANTS
 * - A lease appears complete: the file is written under another name and linked to its own (which fails, like O_EXCL,
 *   when the name is taken).
 * - The owner alone removes its lease while it lives. A lease whose owner is dead is removed under the lock, after
 *   another look at it: nobody else can replace it in between.
 */
export class Leases {
  readonly #directory: string;
  readonly #isAlive: (lease: Lease) => boolean;

  constructor(runDirectory: string, alive: (lease: Lease) => boolean = (lease) => isAlive(lease.owner)) {
    this.#directory = path.join(runDirectory, 'leases');
    this.#isAlive = alive;
  }

  /**
   * Leases the first `count` addresses that are free and not among `except`, lowest first. Takes over what dead owners
   * left. Throws IN_USE, with none leased, when they run out.
   */
  async acquire(
    count: number,
    lease: Lease,
    except: readonly string[] = [],
    addresses: Iterable<string> = madeUpAddresses(),
  ): Promise<string[]> {
    const acquired: string[] = [];
    if (count === 0) return acquired;
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const draft = path.join(this.#directory, `.draft-${process.pid}-${draftNumber++}`);
    writeFileSync(draft, JSON.stringify(lease), { mode: 0o600, flag: 'wx' });
    try {
      for (const address of addresses) {
        if (acquired.length === count) return acquired;
        if (!except.includes(address) && (await this.#take(draft, address))) acquired.push(address);
      }
      if (acquired.length === count) return acquired;
    } catch (error) {
      this.release(acquired);
      throw error;
    } finally {
      unlinkSync(draft);
    }
    this.release(acquired);
    throw new KataMockError('IN_USE', `only ${acquired.length} of ${count} host addresses are free`, {
      hint: 'end sandboxes, or give the devices addresses with host=',
    });
  }

  /** Gives up leases of one's own. */
  release(addresses: readonly string[]): void {
    for (const address of addresses) remove(this.#file(address));
  }

  list(): { address: string; lease: Lease | undefined; alive: boolean }[] {
    return entries(this.#directory)
      .filter((name) => !name.startsWith('.'))
      .map((address) => {
        const lease = this.#read(address) ?? undefined;
        return { address, lease, alive: lease !== undefined && this.#isAlive(lease) };
      });
  }

  /** Removes what dead owners left. Returns the addresses. */
  async prune(): Promise<string[]> {
    const removed: string[] = [];
    for (const { address, alive } of this.list())
      if (!alive && (await this.#removeStale(address))) removed.push(address);
    for (const name of entries(this.#directory)) {
      const pid = Number(/^\.draft-([0-9]+)-/.exec(name)?.[1]);
      if (pid > 0 && !processExists(pid)) remove(path.join(this.#directory, name));
    }
    return removed;
  }

  async #take(draft: string, address: string): Promise<boolean> {
    for (;;) {
      try {
        linkSync(draft, this.#file(address));
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = this.#read(address);
      if (holder && this.#isAlive(holder)) return false;
      if (holder !== null && !(await this.#removeStale(address))) return false;
    }
  }

  /** False when somebody living has it by now. */
  #removeStale(address: string): Promise<boolean> {
    return withLock(path.join(this.#directory, '.lock'), () => {
      const lease = this.#read(address);
      if (lease && this.#isAlive(lease)) return false;
      // One that is gone already may be somebody's next: only what was seen to be dead is removed.
      if (lease !== null) remove(this.#file(address));
      return true;
    });
  }

  /** Null when there is none; undefined for a file that is no lease: a lease appears complete, so that is nobody's. */
  #read(address: string): Lease | undefined | null {
    try {
      return parseLease(readFileSync(this.#file(address), 'utf8'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  #file(address: string): string {
    return path.join(this.#directory, address);
  }
}

let draftNumber = 0;

function remove(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
