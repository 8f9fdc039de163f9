import type { LinuxDeviceCgroup } from '../types/index.ts';
import type { Draft } from './draft.ts';

const PATH = ['linux', 'resources', 'devices'] as const;

/** `linux.resources.devices`: the device cgroup. Later rules win. */
export class DeviceRuleEditor {
  readonly #draft: Draft;

  constructor(draft: Draft) {
    this.#draft = draft;
  }

  entries(): readonly LinuxDeviceCgroup[] {
    return this.#draft.list<LinuxDeviceCgroup>(PATH) ?? [];
  }

  /** Appends a rule, or puts it before `index`: 0 for a rule that all others may override. */
  add(rule: LinuxDeviceCgroup, index?: number): void {
    this.#draft.insert(PATH, { ...rule }, index);
  }

  /** Changes members of one rule, in place. */
  update(index: number, patch: Partial<LinuxDeviceCgroup>): void {
    this.#draft.set([...PATH, index], { ...(this.entries()[index] as LinuxDeviceCgroup), ...patch });
  }

  /** Removes every rule for which `matches` is true. */
  delete(matches: (rule: LinuxDeviceCgroup) => boolean): void {
    for (let index = this.entries().length - 1; index >= 0; index--) {
      if (matches(this.entries()[index] as LinuxDeviceCgroup)) this.#draft.remove([...PATH, index]);
    }
  }
}
