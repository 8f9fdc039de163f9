import { VfioUserError } from '../errors.ts';
import { Errno, viewOf } from '../protocol/index.ts';
import type { Region } from '../server/device.ts';

/** Called after a write that touched one of the bytes it watches, and after a saved state or a reset changed them all. */
export type ConfigHook = (how: 'written' | 'restored') => void;

export const CONFIG_BYTES = 4096;

/**
 * PCI configuration space as data: bytes, which bits software may change, which bits a written 1 clears. Any access of
 * any size and alignment works; what may not be written stays as it is, because a guest's write must never fail.
 */
export class ConfigSpace implements Region {
  readonly size = CONFIG_BYTES;
  readonly bytes = new Uint8Array(CONFIG_BYTES);
  readonly view = viewOf(this.bytes);
  readonly writable = true;
  /** Changes what one read gives, after the bytes are copied; for functions that look different to hypervisor and guest. */
  patchRead: ((offset: number, target: Uint8Array, at: number, count: number) => void) | undefined;
  readonly #mask = new Uint8Array(CONFIG_BYTES);
  readonly #clearMask = new Uint8Array(CONFIG_BYTES);
  readonly #stateMask = new Uint8Array(CONFIG_BYTES);
  readonly #hooks: { start: number; end: number; hook: ConfigHook }[] = [];
  #initial: Uint8Array | undefined;

  /** Makes the bits of `mask` writable at `offset`; `bytes` is the register's width. */
  allow(offset: number, bytes: 1 | 2 | 4, mask: number): void {
    for (let index = 0; index < bytes; index++) this.#mask[offset + index]! |= (mask >>> (index * 8)) & 0xff;
  }

  /** Makes a written 1 clear the bits of `mask` at `offset`. */
  allowClear(offset: number, bytes: 1 | 2 | 4, mask: number): void {
    for (let index = 0; index < bytes; index++) this.#clearMask[offset + index]! |= (mask >>> (index * 8)) & 0xff;
  }

  /** Makes bits that the device itself changes part of a saved state, beside those that software may change. */
  keepInState(offset: number, bytes: 1 | 2 | 4, mask: number): void {
    for (let index = 0; index < bytes; index++) this.#stateMask[offset + index]! |= (mask >>> (index * 8)) & 0xff;
  }

  /** Calls `hook` after each write that touches [start, start + bytes). */
  watch(start: number, bytes: number, hook: ConfigHook): void {
    this.#hooks.push({ start, end: start + bytes, hook });
  }

  /** Takes the present contents as the power-on values {@link reset} goes back to. */
  seal(): void {
    this.#initial = this.bytes.slice();
  }

  /** Changes the contents and the power-on values alike. */
  amend(change: (view: DataView) => void): void {
    change(this.view);
    if (this.#initial) change(viewOf(this.#initial));
  }

  reset(): void {
    if (this.#initial) this.#replace(this.#initial);
  }

  /** Throws when `state` is no configuration space of such a function: a bit that nothing changes differs. */
  checkState(state: Uint8Array): void {
    if (state.length !== this.size) throw this.#refuse(`has ${state.length} bytes, not ${this.size}`);
    for (let at = 0; at < this.size; at++) {
      const moving = this.#mask[at]! | this.#clearMask[at]! | this.#stateMask[at]!;
      if (((state[at]! ^ this.bytes[at]!) & ~moving) !== 0)
        throw this.#refuse(`differs at 0x${at.toString(16)}: ${state[at]} instead of ${this.bytes[at]}`);
    }
  }

  /** Takes over a state that {@link checkState} found right. */
  restore(state: Uint8Array): void {
    this.#replace(state);
  }

  #replace(bytes: Uint8Array): void {
    this.bytes.set(bytes);
    for (const { hook } of this.#hooks) hook('restored');
  }

  #refuse(reason: string): VfioUserError {
    return new VfioUserError('DEVICE', `a saved configuration space ${reason}: it is not one of this function`, {
      errno: Errno.EINVAL,
    });
  }

  read(offset: number, target: Uint8Array, at: number, count: number): void {
    for (let index = 0; index < count; index++) target[at + index] = this.bytes[offset + index]!;
    this.patchRead?.(offset, target, at, count);
  }

  write(offset: number, source: Uint8Array, at: number, count: number): void {
    for (let index = 0; index < count; index++) {
      const mask = this.#mask[offset + index]!;
      const value = source[at + index]!;
      const kept = this.bytes[offset + index]! & ~(value & this.#clearMask[offset + index]!);
      this.bytes[offset + index] = (kept & ~mask) | (value & mask);
    }
    for (const { start, end, hook } of this.#hooks) if (offset < end && offset + count > start) hook('written');
  }
}
