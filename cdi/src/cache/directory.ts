import { lstatSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { CdiError } from '../errors.ts';
import {
  type FileIdentity,
  formatOf,
  identityOf,
  isFresh,
  type LoadedFile,
  loadFile,
  sameIdentity,
} from '../load/file.ts';
import type { ReadOptions } from '../load/text.ts';
import { parseKind } from '../names.ts';
import type { SpecFile } from './device.ts';

/** What a change of a file means for the index. */
export interface FileListener {
  added(file: SpecFile): void;
  removed(file: SpecFile): void;
}

interface Entry extends LoadedFile {
  inUse?: SpecFile;
}

/** One spec directory: its files as last seen. Only files that changed are read again. */
export class SpecDirectory {
  readonly directory: string;
  readonly priority: number;
  readonly #options: ReadOptions;
  readonly #listener: FileListener;
  readonly #entries = new Map<string, Entry>();
  /** Why the directory cannot be read; a missing one is no error. */
  error: CdiError | undefined;
  exists = false;
  #hasLinks = false;

  constructor(directory: string, priority: number, options: ReadOptions, listener: FileListener) {
    this.directory = directory;
    this.priority = priority;
    this.#options = options;
    this.#listener = listener;
  }

  /** Looks at every file; reads those that are new or changed. Gives the names of files read or gone. */
  scan(): string[] {
    const names = this.#list();
    const changed: string[] = [];
    for (const name of [...this.#entries.keys()]) {
      if (!names.has(name)) {
        this.#forget(name);
        changed.push(name);
      }
    }
    for (const name of [...names].sort()) if (this.check(name)) changed.push(name);
    return changed;
  }

  /** Looks at one file; reads it if it is new or changed. Says whether it was, or has gone. */
  check(name: string): boolean {
    if (!formatOf(name)) return false;
    const file = path.join(this.directory, name);
    const known = this.#entries.get(name);
    if (known) {
      const found = identify(file);
      if (found === 'nothing') return this.#forget(name);
      if (known.text === undefined && sameIdentity(known.identity, found)) return false;
    }
    const entry: Entry = loadFile(file, this.#options);
    if (entry.error && !known && identify(file) === 'nothing') return false;
    const isSame = known !== undefined && known.text !== undefined && known.text === entry.text;
    // The text is only needed while the file is so new that its times do not tell a further change.
    if (!entry.identity || !isFresh(entry.identity)) entry.text = undefined;
    if (isSame) {
      known.identity = entry.identity;
      known.text = entry.text;
      return false;
    }
    if (known?.inUse) this.#listener.removed(known.inUse);
    if (entry.spec) {
      const { vendor, class: kindClass } = parseKind(entry.spec.kind);
      entry.inUse = { file, spec: entry.spec, vendor, class: kindClass, priority: this.priority };
      this.#listener.added(entry.inUse);
    }
    this.#entries.set(name, entry);
    return true;
  }

  /** Whether an event about this name concerns this one file at most. */
  mayTell(name: string): boolean {
    return formatOf(name) !== undefined || !this.#hasLinks;
  }

  files(): SpecFile[] {
    return [...this.#entries.values()].flatMap((entry) => entry.inUse ?? []);
  }

  fileErrors(): CdiError[] {
    return [...this.#entries.values()].flatMap((entry) => entry.error ?? []);
  }

  #list(): Set<string> {
    this.error = undefined;
    this.exists = true;
    try {
      const entries = readdirSync(this.directory, { withFileTypes: true });
      this.#hasLinks = entries.some((entry) => entry.isSymbolicLink());
      return new Set(
        entries.filter((entry) => !entry.isDirectory() && formatOf(entry.name)).map((entry) => entry.name),
      );
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      this.exists = false;
      if (code !== 'ENOENT') {
        this.error = new CdiError('IO', `failed to read CDI spec directory ${this.directory}: ${code}`, {
          file: this.directory,
          cause,
        });
      }
      return new Set();
    }
  }

  #forget(name: string): true {
    const entry = this.#entries.get(name);
    this.#entries.delete(name);
    if (entry?.inUse) this.#listener.removed(entry.inUse);
    return true;
  }
}

/** `nothing`: no entry, or a directory. A link that leads nowhere is something, so that reading it reports it. */
function identify(file: string): FileIdentity | 'nothing' | undefined {
  try {
    const stats = statSync(file, { throwIfNoEntry: false });
    if (!stats) return lstatSync(file, { throwIfNoEntry: false }) ? undefined : 'nothing';
    return stats.isDirectory() ? 'nothing' : identityOf(stats);
  } catch {
    return undefined;
  }
}
