import path from 'node:path';
import { type Spec, SpecEditor } from '@kata-mock/oci-spec';
import { CdiError } from '../errors.ts';
import { type Injection, inject } from '../inject/inject.ts';
import { type InjectionPlan, planInjection } from '../inject/plan.ts';
import type { CdiSpec } from '../types.ts';
import { removeSpec, type WriteOptions, writeSpec } from '../write/write.ts';
import type { CdiDevice, SpecFile } from './device.ts';
import { DeviceIndex } from './device-index.ts';
import { SpecDirectory } from './directory.ts';
import { unresolvedError } from './unresolved.ts';
import { DirectoryWatcher } from './watcher.ts';

/** Where the reference looks, the lower priority first. */
export const DEFAULT_SPEC_DIRS: readonly string[] = ['/etc/cdi', '/var/run/cdi'];

export interface CacheOptions {
  /** Directories of spec files, lowest priority first. Default {@link DEFAULT_SPEC_DIRS}; an empty list means the same. */
  specDirs?: readonly string[];
  /** Watch the directories, so that queries see changes by themselves. Default true; `close()` ends it. */
  autoRefresh?: boolean;
  /** `go`: the reference's behaviour where someone could depend on it; see docs/cdi-differences.md. */
  compat?: 'go';
  /** Knows the proposals for CDI 1.2.0. Default false. */
  proposals?: boolean;
  /** A further check of every spec, such as one by a schema; throws what is wrong. */
  check?: (spec: CdiSpec) => void;
}

/** The devices that a set of directories defines. All methods are synchronous; nothing is read that has not changed. */
export class Cache {
  readonly specDirectories: readonly string[];
  readonly #options: CacheOptions;
  readonly #directories: SpecDirectory[];
  readonly #index: DeviceIndex;
  readonly #watchers = new Map<SpecDirectory, DirectoryWatcher>();
  readonly #listeners = new Set<() => void>();
  /** Names to look at again, by directory; `all` for a whole scan. */
  readonly #pending = new Map<SpecDirectory, Set<string> | 'all'>();
  #wakeUp: NodeJS.Immediate | undefined;

  constructor(options: CacheOptions = {}) {
    this.#options = options;
    const asked = options.specDirs?.length ? options.specDirs : DEFAULT_SPEC_DIRS;
    this.specDirectories = asked.map((directory) => path.normalize(directory));
    this.#index = new DeviceIndex(options.compat);
    const listener = {
      added: (file: SpecFile) => this.#index.add(file),
      removed: (file: SpecFile) => this.#index.remove(file),
    };
    this.#directories = this.specDirectories.map(
      (directory, priority) => new SpecDirectory(directory, priority, options, listener),
    );
    if (options.autoRefresh !== false) for (const directory of this.#directories) this.#watch(directory);
    this.refresh();
  }

  /** Looks at all directories now, whatever the mode. Gives the paths of files that were read or have gone. */
  refresh(): string[] {
    const changed: string[] = [];
    this.#pending.clear();
    for (const directory of this.#directories) {
      changed.push(...directory.scan().map((name) => path.join(directory.directory, name)));
      // As in the reference, what cannot be read hides the directories after it.
      if (directory.error && this.#options.compat === 'go') break;
    }
    return changed;
  }

  /** Qualified names of all usable devices, sorted. */
  listDevices(): readonly string[] {
    this.#settle();
    return this.#index.names();
  }

  /** `vendor/class` of all loaded specs, sorted. */
  listKinds(): string[] {
    return sorted(this.specs().map((file) => file.spec.kind));
  }

  listVendors(): string[] {
    return sorted(this.specs().map((file) => file.vendor));
  }

  listClasses(): string[] {
    return sorted(this.specs().map((file) => file.class));
  }

  /** Loaded spec files, by directory and name. */
  specs(): SpecFile[] {
    this.#settle();
    return this.#directories.flatMap((directory) => directory.files()).sort(byPriorityAndName);
  }

  vendorSpecs(vendor: string): SpecFile[] {
    return this.specs().filter((file) => file.vendor === vendor);
  }

  /** The device of a qualified name; undefined when it is not there or its definitions conflict. */
  getDevice(qualifiedName: string): CdiDevice | undefined {
    this.#settle();
    return this.#index.get(qualifiedName);
  }

  /** What is wrong, by path of file or directory. */
  errors(): Map<string, CdiError[]> {
    this.#settle();
    const errors = new Map<string, CdiError[]>();
    const add = (place: string, error: CdiError) => errors.set(place, [...(errors.get(place) ?? []), error]);
    for (const directory of this.#directories) {
      if (directory.error && this.#options.compat !== 'go') add(directory.directory, directory.error);
      for (const error of directory.fileErrors()) add(error.file ?? directory.directory, error);
    }
    for (const { error, files } of this.#index.conflicts()) for (const file of files) add(file, error);
    return errors;
  }

  /** Why directories cannot be read, by path. A missing directory is not an error. */
  specDirErrors(): Map<string, CdiError> {
    this.#settle();
    return new Map(this.#directories.flatMap(({ directory, error }) => (error ? [[directory, error] as const] : [])));
  }

  /** Whether each directory was there when it was last looked at, in the order of priority. */
  specDirStates(): { directory: string; priority: number; exists: boolean; error: CdiError | undefined }[] {
    this.#settle();
    return this.#directories.map(({ directory, priority, exists, error }) => ({ directory, priority, exists, error }));
  }

  /**
   * What injecting these devices would do, each edit with the device and file it comes from.
   * @throws {CdiError} UNRESOLVED or INJECT
   */
  plan(spec: Spec, names: readonly string[]): InjectionPlan {
    this.#settle();
    const devices: CdiDevice[] = [];
    const missing: string[] = [];
    for (const name of names) {
      const device = this.#index.get(name);
      if (device) devices.push(device);
      else missing.push(name);
    }
    if (missing.length > 0) {
      throw unresolvedError(missing, {
        names: this.#index.names(),
        conflict: (name) => this.#index.conflict(name),
        errors: [...new Set([...this.errors().values()].flat())],
      });
    }
    return planInjection(spec, devices, { proposals: this.#options.proposals ?? false });
  }

  /**
   * Makes the edits of the devices, all or none. Given a spec, that spec stays as it is and the result has the new one;
   * given an editor, the editor has the changes.
   * @throws {CdiError} UNRESOLVED, with what is there instead, or INJECT
   */
  injectDevices(target: Spec | SpecEditor, names: readonly string[]): Injection {
    if (target === undefined || target === null) {
      throw new CdiError('INJECT', `no OCI spec to inject ${names.join(', ')} into`, { devices: [...names] });
    }
    const editor = target instanceof SpecEditor ? target : new SpecEditor(target);
    return inject(editor, this.plan(editor.spec, names), editor === target);
  }

  /**
   * Writes a spec into the directory of the highest priority.
   * @returns the path of the file
   * @throws {CdiError} INVALID, EXISTS or IO
   */
  writeSpec(spec: CdiSpec, name: string, options: WriteOptions = {}): string {
    return writeSpec(this.#topDirectory(), name, spec, { ...this.#readOptions(), ...options });
  }

  /** Removes a spec from the directory of the highest priority; one that is not there is no error. */
  removeSpec(name: string): void {
    removeSpec(this.#topDirectory(), name);
  }

  /** Calls back after files have changed, in automatic mode. Returns what ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Stops watching. Queries and `refresh()` keep working. */
  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    this.#listeners.clear();
    clearImmediate(this.#wakeUp);
  }

  #topDirectory(): string {
    return this.specDirectories.at(-1) as string;
  }

  #readOptions() {
    const { compat, proposals, check } = this.#options;
    return { ...(compat && { compat }), ...(proposals && { proposals }), ...(check && { check }) };
  }

  #watch(directory: SpecDirectory): void {
    const changed = (_: string, name: string | undefined) => this.#changed(directory, name);
    this.#watchers.set(directory, new DirectoryWatcher(directory.directory, { changed }));
  }

  #changed(directory: SpecDirectory, name: string | undefined): void {
    const known = this.#pending.get(directory);
    // Files that are links may change with something that is not a spec file, as in Kubernetes' volumes.
    if (name === undefined || !directory.mayTell(name)) this.#pending.set(directory, 'all');
    else if (known === undefined) this.#pending.set(directory, new Set([name]));
    else if (known !== 'all') known.add(name);
    if (this.#listeners.size > 0) this.#wakeUp ??= setImmediate(() => this.#tell());
  }

  #tell(): void {
    this.#wakeUp = undefined;
    if (this.#settle()) for (const listener of [...this.#listeners]) listener();
  }

  /** Brings in what the watchers have told; without working watchers, looks at everything. */
  #settle(): boolean {
    let changed = false;
    for (const [directory, watcher] of this.#watchers) {
      if (!watcher.working) this.#pending.set(directory, 'all');
    }
    if (this.#pending.size === 0) return false;
    for (const [directory, names] of this.#pending) {
      if (names === 'all') changed = directory.scan().length > 0 || changed;
      else for (const name of names) changed = directory.check(name) || changed;
    }
    this.#pending.clear();
    return changed;
  }
}

function sorted(names: string[]): string[] {
  return [...new Set(names)].sort();
}

function byPriorityAndName(a: SpecFile, b: SpecFile): number {
  return a.priority - b.priority || (a.file < b.file ? -1 : 1);
}
