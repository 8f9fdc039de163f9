/** A device for this package's tests that shows what a client did to it. */
import { closeSync } from 'node:fs';
import { eventfd, memfdCreate } from '@kata-mock/posix';
import type { Bus } from './bus.ts';
import type { Migratable, Region, RegionIoFd, RegionMemory, ResetReason, VfioDevice } from './device.ts';

export class TestRegion implements Region {
  readonly bytes: Uint8Array;
  readonly size: number;
  memory: RegionMemory | undefined;
  ioFds: RegionIoFd[] = [];
  /** Every write, as [offset, bytes]. */
  readonly writes: [number, number[]][] = [];

  constructor(size: number) {
    this.size = size;
    this.bytes = Uint8Array.from({ length: size }, (_, index) => index & 0xff);
  }

  read(offset: number, target: Uint8Array, at: number, count: number): void {
    target.set(this.bytes.subarray(offset, offset + count), at);
  }

  write(offset: number, source: Uint8Array, at: number, count: number): void {
    const data = source.subarray(at, at + count);
    this.writes.push([offset, [...data]]);
    this.bytes.set(data, offset);
  }
}

/** BAR0 64 bytes, BAR1 eight pages of which two areas can be mapped, BAR2 with I/O descriptors, MSI-X with 8 vectors. */
export class TestDevice implements VfioDevice {
  readonly name = 'test-device';
  readonly bar0 = new TestRegion(64);
  readonly bar1 = new TestRegion(0x8000);
  readonly bar2 = new TestRegion(0x1000);
  readonly regions = [
    this.bar0,
    this.bar1,
    this.bar2,
    undefined,
    undefined,
    undefined,
    undefined,
    new TestRegion(4096),
  ];
  readonly irqs = [1, 4, 8, 1, 1];
  readonly resets: ResetReason[] = [];
  readonly memoryFd = memfdCreate('test-bar1', { size: 0x10000, seal: true });
  readonly doorbellFd = eventfd();
  saved = Uint8Array.of(1, 2, 3, 4, 5);
  restored: number[] | undefined;
  migration: Migratable | undefined = {
    save: () => this.saved,
    restore: (bytes) => {
      this.restored = [...bytes];
    },
  };
  bus!: Bus;

  constructor() {
    const areas = [
      { offset: 0x1000, size: 0x1000 },
      { offset: 0x4000, size: 0x2000 },
    ];
    this.bar1.memory = { fd: this.memoryFd, offset: 0x8000, areas };
    this.bar2.ioFds = [
      { offset: 0, size: 4, fd: this.doorbellFd },
      { offset: 8, size: 4, fd: this.doorbellFd, datamatch: 5n },
      { offset: 16, size: 0, fd: -1 },
      { offset: 24, size: 4, fd: this.doorbellFd, shadow: { fd: this.memoryFd, offset: 64 } },
    ];
  }

  attach(bus: Bus): void {
    this.bus = bus;
  }

  reset(reason: ResetReason): void {
    this.resets.push(reason);
  }

  close(): void {
    closeSync(this.memoryFd);
    closeSync(this.doorbellFd);
  }
}
