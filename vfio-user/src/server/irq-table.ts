import { closeSync, readlinkSync } from 'node:fs';
import { eventfdSignal, eventfdTake } from '@kata-mock/posix';
import { PciIrq, protocolError, type SetIrqs } from '../protocol/index.ts';
import { ClientDescriptors } from './client-descriptors.ts';

interface Vector {
  /** Fired on trigger. */
  fd: number | undefined;
  masked: boolean;
  /** Readable means unmask (KVM's resample). */
  unmaskFd: number | undefined;
  /** Triggered while masked or before it had an eventfd. */
  pending: boolean;
}

const newVector = (): Vector => ({ fd: undefined, masked: false, unmaskFd: undefined, pending: false });

/** What {@link IrqTable.trigger} did. */
export type TriggerResult = 'fired' | 'pending' | 'disabled';

/** Eventfds and masks of every interrupt index. Owns the descriptors. */
export class IrqTable {
  /** Called after a vector was unmasked or got another eventfd. */
  changed: ((index: number, vector: number) => void) | undefined;
  /** A fault hook: how many times this trigger is really delivered, and when. */
  deliver: ((index: number, vector: number, fire: () => void) => void) | undefined;
  readonly #indexes: Vector[][];
  readonly #enabled: boolean[];
  readonly #descriptors: ClientDescriptors;
  #unmaskFds: readonly number[] = [];
  /** Counts resets and clients: what a fault holds back does not come after the next one. */
  #epoch = 0;

  constructor(counts: readonly number[], descriptors = new ClientDescriptors()) {
    this.#descriptors = descriptors;
    this.#indexes = counts.map((count) => Array.from({ length: count }, newVector));
    this.#enabled = counts.map(() => false);
  }

  /** Number of vectors of an index; 0 for one that does not exist. */
  count(index: number): number {
    return this.#indexes[index]?.length ?? 0;
  }

  /** True between the client's first assignment and its "disable". */
  enabled(index: number): boolean {
    return this.#enabled[index] ?? false;
  }

  isPending(index: number, vector: number): boolean {
    return this.#indexes[index]?.[vector]?.pending ?? false;
  }

  /** True when a trigger would fire now. */
  isReady(index: number, vector: number): boolean {
    const entry = this.#indexes[index]?.[vector];
    return entry !== undefined && this.enabled(index) && entry.fd !== undefined && !entry.masked;
  }

  /** Descriptors to poll for "unmask"; see {@link resampled}. */
  unmaskFds(): readonly number[] {
    return this.#unmaskFds;
  }

  /** An unmask descriptor became readable. */
  resampled(fd: number): void {
    this.#indexes.forEach((vectors, index) => {
      vectors.forEach((vector, number) => {
        if (vector.unmaskFd !== fd) return;
        eventfdTake(fd);
        this.#unmask(index, number);
      });
    });
  }

  /** Signals a vector once. A masked one, or one without an eventfd while its index is on, stays pending. */
  trigger(index: number, vector: number): TriggerResult {
    const entry = this.#indexes[index]?.[vector];
    if (!entry || !this.#enabled[index]) return 'disabled';
    if (entry.masked || entry.fd === undefined) {
      entry.pending = true;
      return 'pending';
    }
    if (this.deliver) {
      const epoch = this.#epoch;
      this.deliver(index, vector, () => {
        if (epoch === this.#epoch) this.#fire(entry);
      });
    } else this.#fire(entry);
    return 'fired';
  }

  /** Masks a vector from the device's side: level interrupts mask themselves until the client unmasks. */
  mask(index: number, vector: number): void {
    const entry = this.#indexes[index]?.[vector];
    if (entry) entry.masked = true;
  }

  /** What was triggered and not delivered, as [index, vector]. */
  pending(): [index: number, vector: number][] {
    return this.#indexes.flatMap((vectors, index) =>
      vectors.flatMap((vector, number): [number, number][] => (vector.pending ? [[index, number]] : [])),
    );
  }

  /** Takes over what another process did not deliver; every vector must exist. */
  restorePending(pending: readonly (readonly [index: number, vector: number])[]): void {
    this.clearPending();
    for (const [index, number] of pending) {
      this.#indexes[index]![number]!.pending = true;
      if (this.enabled(index)) this.#firePending(index, number);
    }
  }

  /** Clears what is pending: after a reset nothing of before it may fire. */
  clearPending(): void {
    this.#epoch++;
    for (const vector of this.#indexes.flat()) vector.pending = false;
  }

  /** Drops every descriptor and mask. */
  releaseAll(): void {
    this.#epoch++;
    this.#indexes.forEach((_, index) => {
      this.#disable(index);
    });
  }

  /** Carries out DEVICE_SET_IRQS. Takes descriptors out of `fds` that it keeps. */
  set(set: SetIrqs, fds: number[]): void {
    this.#validate(set, fds);
    this.#descriptors.require(fds.length - this.#replaced(set, fds.length));
    const { index, start, count, data, action } = set;
    if (count === 0) this.#disable(index);
    if (data === 'eventfd' && action === 'trigger') this.#enabled[index] = true;
    for (let offset = 0; offset < count; offset++) {
      if (data === 'bool' && !set.bools![offset]) continue;
      const vector = start + offset;
      if (data === 'eventfd') this.#assign(index, vector, action, fds.shift());
      else if (action === 'trigger') this.trigger(index, vector);
      else if (action === 'mask') this.mask(index, vector);
      else this.#unmask(index, vector);
    }
  }

  #validate(set: SetIrqs, fds: readonly number[]): void {
    const { index, start, count, data, action } = set;
    const vectors = this.count(index);
    const refuse = (reason: string) => protocolError(`DEVICE_SET_IRQS: ${reason}`);
    if (index >= this.#indexes.length) throw refuse(`index ${index}`);
    if (count === 0 && (start !== 0 || action !== 'trigger' || data !== 'none'))
      throw refuse('count 0 with anything but "disable"');
    if (start >= vectors || start + count > vectors)
      throw refuse(`vectors ${start}..${start + count} of index ${index}, which has ${vectors}`);
    if (index >= PciIrq.ERR && (action !== 'trigger' || count > 1))
      throw refuse(`index ${index} takes only TRIGGER of one vector`);
    if (fds.length > 0 && data !== 'eventfd') throw refuse(`${fds.length} descriptors without DATA_EVENTFD`);
    if (fds.length !== 0 && fds.length !== count) throw refuse(`${fds.length} descriptors for ${count} vectors`);
    if (data === 'eventfd' && action === 'mask') throw refuse('eventfds on MASK are not supported');
    // A pipe or socket could block the server when it is signalled.
    for (const fd of fds) if (!isEventfd(fd)) throw refuse('a descriptor is no eventfd');
  }

  /** Descriptors that go when so many new ones come. */
  #replaced({ index, start, action }: SetIrqs, fds: number): number {
    const slot = action === 'unmask' ? 'unmaskFd' : 'fd';
    return this.#indexes[index]!.slice(start, start + fds).filter((vector) => vector[slot] !== undefined).length;
  }

  #assign(index: number, number: number, action: SetIrqs['action'], fd: number | undefined): void {
    const vector = this.#indexes[index]![number]!;
    const slot = action === 'unmask' ? 'unmaskFd' : 'fd';
    const old = vector[slot];
    vector[slot] = fd;
    if (fd !== undefined) this.#descriptors.add(fd);
    if (old !== undefined) this.#close(old);
    if (slot === 'unmaskFd') {
      this.#listUnmaskFds();
      return;
    }
    vector.masked = false;
    this.#firePending(index, number);
    this.changed?.(index, number);
  }

  #unmask(index: number, number: number): void {
    this.#indexes[index]![number]!.masked = false;
    this.#firePending(index, number);
    this.changed?.(index, number);
  }

  #firePending(index: number, number: number): void {
    const vector = this.#indexes[index]![number]!;
    if (!vector.pending || vector.masked || vector.fd === undefined) return;
    vector.pending = false;
    this.trigger(index, number);
  }

  #disable(index: number): void {
    this.#enabled[index] = false;
    for (const vector of this.#indexes[index] ?? []) {
      if (vector.fd !== undefined) this.#close(vector.fd);
      if (vector.unmaskFd !== undefined) this.#close(vector.unmaskFd);
      Object.assign(vector, newVector());
    }
    this.#listUnmaskFds();
  }

  #close(fd: number): void {
    this.#descriptors.remove(fd);
    closeSync(fd);
  }

  #listUnmaskFds(): void {
    this.#unmaskFds = this.#indexes.flat().flatMap(({ unmaskFd }) => (unmaskFd === undefined ? [] : [unmaskFd]));
  }

  #fire(vector: Vector): void {
    if (vector.fd !== undefined) eventfdSignal(vector.fd);
  }
}

/** Whether a descriptor is an eventfd: the only kind that can be signalled without blocking or sending bytes to someone. */
export function isEventfd(fd: number): boolean {
  return readlinkSync(`/proc/self/fd/${fd}`).startsWith('anon_inode:[eventfd');
}
