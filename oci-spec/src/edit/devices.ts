import { quote, SpecError } from '../errors.ts';
import type { LinuxDevice } from '../types/index.ts';
import type { Draft } from './draft.ts';

const PATH = ['linux', 'devices'] as const;

/** `linux.devices`: the nodes made in the container. Whether they open is up to {@link DeviceRuleEditor}. */
export class DeviceEditor {
  readonly #draft: Draft;

  constructor(draft: Draft) {
    this.#draft = draft;
  }

  entries(): readonly LinuxDevice[] {
    return this.#draft.list<LinuxDevice>(PATH) ?? [];
  }

  find(path: string): LinuxDevice | undefined {
    return this.entries()[this.#find(path)];
  }

  /**
   * Takes the place of the devices with the same path and comes last; with several of them, in the place of the second,
   * as the Go reference has it.
   */
  put(device: LinuxDevice): void {
    const first = this.#find(device.path);
    if (first >= 0) this.#draft.remove([...PATH, first]);
    const second = this.#find(device.path);
    if (second < 0) {
      this.#draft.insert(PATH, { ...device });
      return;
    }
    this.#draft.set([...PATH, second], { ...device });
    for (let at = this.entries().length - 1; at > second; at--) {
      if (this.entries()[at]?.path === device.path) this.#draft.remove([...PATH, at]);
    }
  }

  /** Changes members of the first device with this path, in place; a new `path` in the patch renames it. */
  update(path: string, patch: Partial<LinuxDevice>): void {
    const index = this.#find(path);
    if (index < 0) throw new SpecError('EDIT', '$.linux.devices', `no device has the path ${quote(path)}`);
    this.#draft.set([...PATH, index], { ...(this.entries()[index] as LinuxDevice), ...patch });
  }

  /** Removes every device with this path. */
  delete(path: string): void {
    for (let index = this.#find(path); index >= 0; index = this.#find(path)) this.#draft.remove([...PATH, index]);
  }

  #find(path: string): number {
    return this.entries().findIndex((device) => device?.path === path);
  }
}
