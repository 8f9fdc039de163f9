import { type FSWatcher, statSync, watch } from 'node:fs';
import path from 'node:path';

/** What a directory watcher tells. */
export interface WatchEvents {
  /** Something happened to this name; undefined: to anything, or to the directory itself. */
  changed(directory: string, name: string | undefined): void;
}

/**
 * Watches one spec directory, present or not. The directory above it, or the nearest one that exists, is watched as well,
 * to notice when the directory comes, goes or is replaced. Watching keeps no process alive.
 */
export class DirectoryWatcher {
  readonly #directory: string;
  readonly #events: WatchEvents;
  #inner: FSWatcher | undefined;
  #inode: number | undefined;
  #outer: FSWatcher | undefined;
  #ancestor: string | undefined;
  /** False when the system refuses to watch: then only looking helps. */
  working = true;

  constructor(directory: string, events: WatchEvents) {
    this.#directory = path.resolve(directory);
    this.#events = events;
    this.#arm();
  }

  close(): void {
    this.#inner?.close();
    this.#outer?.close();
    this.#inner = undefined;
    this.#outer = undefined;
  }

  /** Until nothing has moved meanwhile: what appears between looking and watching would not be told. */
  #arm(): void {
    do {
      this.#watchInner(inodeOf(this.#directory));
      this.#watchOuter(nearest(path.dirname(this.#directory)));
    } while (inodeOf(this.#directory) !== this.#inode || nearest(path.dirname(this.#directory)) !== this.#ancestor);
  }

  #watchInner(inode: number | undefined): void {
    if (inode === this.#inode) return;
    this.#inner?.close();
    this.#inner = inode === undefined ? undefined : this.#watch(this.#directory, (name) => this.#seen(name));
    this.#inode = inode;
  }

  #watchOuter(ancestor: string): void {
    if (ancestor === this.#ancestor) return;
    this.#outer?.close();
    this.#ancestor = ancestor;
    const child = path.relative(ancestor, this.#directory).split(path.sep)[0];
    this.#outer = this.#watch(ancestor, (name) => {
      if (name === undefined || name === child || name === path.basename(ancestor)) this.#moved();
    });
  }

  #seen(name: string | undefined): void {
    if (inodeOf(this.#directory) !== this.#inode) this.#moved();
    else this.#events.changed(this.#directory, name);
  }

  #moved(): void {
    const before = this.#inode;
    this.#arm();
    if (this.#inode !== before) this.#events.changed(this.#directory, undefined);
  }

  #watch(directory: string, listener: (name: string | undefined) => void): FSWatcher | undefined {
    try {
      const watcher = watch(directory, { persistent: false }, (_, name) => listener(name ?? undefined));
      watcher.on('error', () => {
        this.working = false;
      });
      return watcher;
    } catch {
      this.working = false;
      return undefined;
    }
  }
}

function inodeOf(directory: string): number | undefined {
  try {
    return statSync(directory, { throwIfNoEntry: false })?.ino;
  } catch {
    return undefined;
  }
}

function nearest(directory: string): string {
  let found = directory;
  while (inodeOf(found) === undefined && found !== path.dirname(found)) found = path.dirname(found);
  return found;
}
