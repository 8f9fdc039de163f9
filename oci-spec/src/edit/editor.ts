import { copyJson } from '../json/copy.ts';
import type { Path } from '../json/path.ts';
import type { Hook, HookName, LinuxIntelRdt, LinuxNetDevice, Spec } from '../types/index.ts';
import { AnnotationEditor } from './annotations.ts';
import { DeviceRuleEditor } from './device-rules.ts';
import { DeviceEditor } from './devices.ts';
import { type Change, Draft } from './draft.ts';
import { EnvEditor } from './env.ts';
import { MountEditor } from './mounts.ts';
import { PathListEditor } from './path-list.ts';

/**
 * The way to change a spec. Works on its own copy, makes missing parents, refuses to edit what has the wrong type, and
 * keeps the list of changes. The same edits on the same spec give the same bytes.
 */
export class SpecEditor {
  readonly #draft: Draft;
  readonly env: EnvEditor;
  readonly devices: DeviceEditor;
  readonly deviceRules: DeviceRuleEditor;
  readonly mounts: MountEditor;
  readonly annotations: AnnotationEditor;
  readonly maskedPaths: PathListEditor;
  readonly readonlyPaths: PathListEditor;

  /** @param spec copied, never written to */
  constructor(spec: Spec) {
    this.#draft = new Draft(spec);
    this.env = new EnvEditor(this.#draft);
    this.devices = new DeviceEditor(this.#draft);
    this.deviceRules = new DeviceRuleEditor(this.#draft);
    this.mounts = new MountEditor(this.#draft);
    this.annotations = new AnnotationEditor(this.#draft);
    this.maskedPaths = new PathListEditor(this.#draft, 'maskedPaths');
    this.readonlyPaths = new PathListEditor(this.#draft, 'readonlyPaths');
  }

  /** The spec as edited so far, to read. */
  get spec(): Readonly<Spec> {
    return this.#draft.root;
  }

  /** What was changed, in order. */
  get changes(): readonly Change[] {
    return this.#draft.changes;
  }

  /** A copy of the spec as edited so far. */
  result(): Spec {
    return copyJson(this.#draft.root);
  }

  /** Runs `edit`, whose changes carry `source`. */
  attribute<T>(source: string, edit: () => T): T {
    const outer = this.#draft.source;
    this.#draft.source = source;
    try {
      return edit();
    } finally {
      this.#draft.source = outer;
    }
  }

  /** Runs `edit` wholly or, when it throws, not at all. */
  transaction<T>(edit: () => T): T {
    return this.#draft.transaction(edit);
  }

  /** The value at a path such as `['process', 'cwd']`. */
  get(path: Path): unknown {
    return this.#draft.get(path);
  }

  /** Sets any member, for what has no method of its own; `undefined` removes it. */
  set(path: Path, value: unknown): void {
    this.#draft.set(path, copyJson(value));
  }

  delete(path: Path): void {
    this.#draft.remove(path);
  }

  /** Appends a hook to a point of the container's life. */
  addHook(name: HookName, hook: Hook): void {
    this.#draft.insert(['hooks', name], copyJson(hook));
  }

  /** Adds a supplementary group unless it is there; group 0 is never added, since it would give root's group. */
  addGid(gid: number): void {
    const path = ['process', 'user', 'additionalGids'];
    if (gid !== 0 && !this.#draft.list<number>(path)?.includes(gid)) this.#draft.insert(path, gid);
  }

  /** Moves an interface of the host into the container. */
  setNetDevice(hostName: string, device: LinuxNetDevice): void {
    this.#draft.set(['linux', 'netDevices', hostName], { ...device });
  }

  setIntelRdt(rdt: LinuxIntelRdt): void {
    this.#draft.set(['linux', 'intelRdt'], copyJson(rdt));
  }
}
