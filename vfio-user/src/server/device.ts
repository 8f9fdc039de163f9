import type { MmapArea } from '../protocol/index.ts';
import type { Bus } from './bus.ts';

/** Why a device is reset. Guest memory and eventfds stay except after `disconnect`. */
export type ResetReason = 'command' | 'flr' | 'disconnect';

/** Memory of a region that the client may map instead of sending messages. */
export interface RegionMemory {
  /** Descriptor with the memory; it stays the device's. */
  fd: number;
  /** Byte position of the region's start in the descriptor. */
  offset: number;
  /** Parts the client may map, in pages of the host; messages must still work there. */
  areas: MmapArea[];
}

/** A range of a region that the client may signal through an eventfd instead of a message. */
export interface RegionIoFd {
  /** Bytes from the region's start. */
  offset: number;
  /** Bytes of the access, 0 for any. */
  size: number;
  /** The eventfd; it stays the device's. -1 when there is none. */
  fd: number;
  datamatch?: bigint;
  /** Memory that receives the written value, for a shadow ioeventfd. */
  shadow?: { fd: number; offset: number };
}

/** One region of a device: a BAR, the configuration space, … Reads and writes must not throw for what a guest can do. */
export interface Region {
  /** Bytes. */
  readonly size: number;
  readonly readable?: boolean;
  readonly writable?: boolean;
  readonly memory?: RegionMemory;
  readonly ioFds?: readonly RegionIoFd[];
  /** Fills `target[at .. at + count)`; the access is inside the region. */
  read(offset: number, target: Uint8Array, at: number, count: number): void;
  /** Takes `source[at .. at + count)`; the access is inside the region. */
  write(offset: number, source: Uint8Array, at: number, count: number): void;
}

/** What a device saves and restores when it moves to another process; see DEVICE_FEATURE. */
export interface Migratable {
  /** What both sides must have in common: model, sizes. Compared as text. Default: the device's name. */
  readonly shape?: string;
  /** Memory, which may be large: it moves while the device runs, and once more where it has changed. */
  readonly memory?: MigratableMemory;
  /** The rest, at most 1 MiB; its layout is the device's own business. Called while the device is stopped. */
  save(): Uint8Array;
  /** Throws when the bytes are not a state of such a device; registers are as before then. */
  restore(state: Uint8Array): void;
  /** The device must not change by itself any more: what is under way is put off. */
  stop?(): void;
  /** It may go on: with what {@link stop} put off, or what a restored state says was under way. */
  run?(): void;
}

export interface MigratableMemory {
  /** Bytes. */
  readonly size: bigint;
  /** Starts to look for changes: at first all that is not zero is one. */
  changes(): MemoryChanges;
  write(offset: bigint, data: Uint8Array): void;
  /** Makes all of it zero. */
  clear(): void;
}

/** What of a memory changed since it was last given. */
export interface MemoryChanges {
  /** Looks at all of it once more, from the start: it has stopped changing. */
  restart(): void;
  /** The next piece, of at most 64 KiB; undefined when there is none; `later` when it has looked long enough for now. */
  next(): { offset: bigint; data: Uint8Array } | 'later' | undefined;
}

/** What the protocol server serves: regions, interrupts, reset. Most devices use the PCI kit, which makes one. */
export interface VfioDevice {
  readonly name: string;
  /** By region index; a hole is a region of size 0. */
  readonly regions: readonly (Region | undefined)[];
  /** Vectors by interrupt index. */
  readonly irqs: readonly number[];
  readonly migration?: Migratable;
  /** Writes to what cannot be written, so far: they are dropped, as a guest must not be able to fail a device. */
  readonly droppedWrites?: number;
  /** Called once before the first client; `bus` stays the same for the device's life. */
  attach(bus: Bus): void;
  reset(reason: ResetReason): void;
  /** The client masked or unmasked a vector, or assigned or dropped its eventfd. */
  irqChanged?(index: number, vector: number): void;
  /** Gives back what the device holds (descriptors); it is not used after that. */
  close?(): void;
  /** Values for people and tools; read at any time between two messages. */
  describe?(): RegisterValue[];
  /** A request from outside the guest (control socket, profile reload). Throws for one it does not know. */
  control?(request: string, parameters: Record<string, unknown>): unknown;
}

export interface RegisterValue {
  name: string;
  offset: number;
  /** Bytes. */
  width: number;
  /** Hexadecimal with 0x; byte arrays as plain hexadecimal digits. */
  value: string;
}
