import { VfioUserError } from '../errors.ts';
import { Errno, PCI_IRQS, PciIrq, PciRegion } from '../protocol/index.ts';
import type { Bus, LogLevel } from '../server/bus.ts';
import type { Migratable, Region, RegisterValue, ResetReason, VfioDevice } from '../server/device.ts';
import { type Bar, checkUpperHalves, placeBar } from './bar.ts';
import {
  type Capability,
  type ExpressOptions,
  type MsixLayout,
  msi,
  msix,
  pciExpress,
  powerManagement,
} from './capabilities/index.ts';
import { MSI } from './capabilities/msi.ts';
import { msixBytes } from './capabilities/msix.ts';
import { ConfigSpace } from './config-space.ts';
import { INTERRUPT_STATUS, Interrupts } from './interrupts.ts';
import { MsixRegion } from './msix-region.ts';
import { RegisterBlock } from './registers/register-block.ts';

export interface PciFunctionOptions {
  /** For logs. Default `pci-function`. */
  name?: string;
  vendor: number;
  device: number;
  subsystemVendor?: number;
  subsystem?: number;
  /** 24 bits: class, subclass, programming interface. Default 0, unclassified. */
  classCode?: number;
  revision?: number;
  /** By BAR number. */
  bars?: Record<number, Bar>;
  interrupts?: {
    /** An INTx line (INTA). */
    intx?: boolean;
    /** MSI vectors: 1, 2, 4, 8, 16 or 32. */
    msi?: number;
    /** MSI-X; a BAR for table and pending bits is made when `bars` has none of that number. */
    msix?: MsixLayout;
  };
  express?: ExpressOptions;
  /** Added after PM, PCI Express and MSI(-X). */
  capabilities?: Capability[];
  /** In the order they stand from 0x100 on. */
  extendedCapabilities?: Capability[];
  migration?: Migratable;
  /** The device's own reset, after configuration space was reset. */
  reset?(reason: ResetReason): void;
  /** Called once, before any access. */
  attached?(fn: PciFunction): void;
  closed?(): void;
  describe?(): RegisterValue[];
  control?(request: string, parameters: Record<string, unknown>): unknown;
}

const COMMAND = 0x04;
const BUS_MASTER = 0x4;
const COMMAND_WRITABLE = 0x0547;
const FIRST_CAPABILITY = 0x40;
const FIRST_EXTENDED = 0x100;

/** A PCI Express function made from a description: configuration space, BARs, interrupts. */
export class PciFunction implements VfioDevice {
  readonly name: string;
  readonly config = new ConfigSpace();
  readonly regions: (Region | undefined)[] = [];
  readonly irqs: number[] = Array.from({ length: PCI_IRQS }, () => 0);
  readonly migration: Migratable | undefined;
  readonly #options: PciFunctionOptions;
  /** Offsets of the standard list's capabilities, the first of each id. */
  readonly #placed = new Map<number, number>();
  #msixRegion: MsixRegion | undefined;
  #bus: Bus | undefined;
  #interrupts: Interrupts | undefined;

  constructor(options: PciFunctionOptions) {
    this.#options = options;
    this.name = options.name ?? 'pci-function';
    this.migration = options.migration && this.#migratable(options.migration);
    this.#header();
    this.#irqs();
    this.#bars();
    this.#capabilities();
    this.config.watch(COMMAND, 2, () => this.#commandWritten());
    this.regions[PciRegion.CONFIG] = this.config;
    this.config.seal();
  }

  get droppedWrites(): number {
    return this.regions.reduce((sum, region) => sum + (region instanceof RegisterBlock ? region.dropped : 0), 0);
  }

  /** Guest memory, timers, tasks, log; there from `attached` on. */
  get bus(): Bus {
    if (!this.#bus) throw new VfioUserError('DEVICE', `${this.name} is not attached to a server yet`);
    return this.#bus;
  }

  get interrupts(): Interrupts {
    if (!this.#interrupts) throw new VfioUserError('DEVICE', `${this.name} is not attached to a server yet`);
    return this.#interrupts;
  }

  /** Writes a line to the host's log. */
  log(message: string, level: LogLevel = 'info'): void {
    this.bus.log(level, message);
  }

  attach(bus: Bus): void {
    this.#bus = bus;
    const hasLine = this.irqs[PciIrq.INTX] === 1;
    this.#interrupts = new Interrupts(bus.irqs, this.config.view, hasLine, this.#placed.get(MSI));
    if (this.#msixRegion) this.#msixRegion.irqs = bus.irqs;
    bus.dma.enabled = false;
    this.#options.attached?.(this);
  }

  reset(reason: ResetReason): void {
    // The line first: a command register that does not disable it any more would signal it.
    this.#interrupts?.setLine(false);
    this.config.reset();
    this.#msixRegion?.reset();
    if (this.#bus) {
      this.#bus.dma.enabled = false;
      this.#bus.irqs.clearPending();
    }
    this.#options.reset?.(reason);
  }

  /** Software set the FLR bit: all as after {@link reset}, except that eventfds and guest memory stay. */
  functionLevelReset(): void {
    this.reset('flr');
  }

  close(): void {
    this.#options.closed?.();
  }

  irqChanged(index: number): void {
    if (index === PciIrq.INTX) this.#interrupts?.refresh();
  }

  describe(): RegisterValue[] {
    return this.#options.describe?.() ?? [];
  }

  control(request: string, parameters: Record<string, unknown>): unknown {
    if (!this.#options.control)
      throw new VfioUserError('NOT_FOUND', `${this.name} has no request ${JSON.stringify(request)}`);
    return this.#options.control(request, parameters);
  }

  /** What moves to another process: configuration space, the MSI-X table, then the device's own state. */
  #migratable(device: Migratable): Migratable {
    const { config } = this;
    const fn = this;
    return {
      ...(device.memory && { memory: device.memory }),
      stop: () => device.stop?.(),
      run: () => device.run?.(),
      get shape() {
        const sizes = fn.regions.map((region) => region?.size ?? 0).join(',');
        return `${fn.name}; regions ${sizes}; vectors ${fn.irqs.join(',')}; ${device.shape ?? ''}`;
      },
      save: () => Buffer.concat([config.bytes, this.#msixRegion?.save() ?? new Uint8Array(0), device.save()]),
      restore: (state) => {
        const table = config.size;
        const own = table + (this.#msixRegion?.size ?? 0);
        if (state.length < own)
          throw new VfioUserError('DEVICE', `${this.name}: a saved state of ${state.length} bytes is too short`, {
            errno: Errno.EINVAL,
          });
        config.checkState(state.subarray(0, table));
        device.restore(state.subarray(own));
        this.#msixRegion?.restore(state.subarray(table, own));
        config.restore(state.subarray(0, table));
        this.#interrupts?.restoreLine();
      },
    };
  }

  #header(): void {
    const { vendor, device, classCode = 0, revision = 0, subsystemVendor = 0, subsystem = 0 } = this.#options;
    const { config } = this;
    const { view } = config;
    view.setUint16(0x00, vendor, true);
    view.setUint16(0x02, device, true);
    view.setUint32(0x08, ((classCode << 8) | revision) >>> 0, true);
    view.setUint16(0x2c, subsystemVendor, true);
    view.setUint16(0x2e, subsystem, true);
    config.allow(COMMAND, 2, COMMAND_WRITABLE);
    config.allowClear(0x06, 2, 0xf900);
    config.allow(0x0c, 1, 0xff);
    config.allow(0x3c, 1, 0xff);
  }

  #irqs(): void {
    const { intx, msi: msiVectors, msix: layout } = this.#options.interrupts ?? {};
    if (intx) {
      this.irqs[PciIrq.INTX] = 1;
      this.config.view.setUint8(0x3d, 1);
      this.config.keepInState(0x06, 2, INTERRUPT_STATUS);
    }
    this.irqs[PciIrq.MSI] = msiVectors ?? 0;
    this.irqs[PciIrq.MSIX] = layout?.vectors ?? 0;
    // QEMU warns that it could not enable error recovery unless there is one error vector.
    this.irqs[PciIrq.ERR] = 1;
    this.irqs[PciIrq.REQ] = 1;
  }

  #bars(): void {
    const bars = { ...this.#options.bars };
    const layout = this.#options.interrupts?.msix;
    if (layout && !bars[layout.bar]) {
      this.#msixRegion = new MsixRegion(layout);
      bars[layout.bar] = { region: this.#msixRegion };
    }
    checkUpperHalves(bars);
    if (layout) this.#checkMsixBar(layout, bars[layout.bar]!);
    for (const [key, bar] of Object.entries(bars)) {
      const number = Number(key);
      placeBar(this.config, number, bar);
      this.regions[number] = bar.region;
    }
  }

  #checkMsixBar(layout: MsixLayout, { kind, region }: Bar): void {
    const needed = msixBytes(layout);
    if (kind === 'io' || region.size < needed)
      throw new VfioUserError(
        'INVALID_OPTION',
        `BAR${layout.bar}: ${layout.vectors} MSI-X vectors need ${needed} bytes of memory, not ${region.size} of ${kind ?? 'memory64'}`,
      );
  }

  #capabilities(): void {
    const { interrupts = {}, express, capabilities = [], extendedCapabilities = [] } = this.#options;
    const list = [powerManagement(), pciExpress(express)];
    if (interrupts.msi) list.push(msi(interrupts.msi));
    if (interrupts.msix) list.push(msix(interrupts.msix));
    this.#place([...list, ...capabilities], FIRST_CAPABILITY, 0x100, 2);
    this.#place(extendedCapabilities, FIRST_EXTENDED, this.config.size, 4);
  }

  /** Lays capabilities out one after the other and links them. */
  #place(list: readonly Capability[], first: number, end: number, headerBytes: 2 | 4): void {
    const { bytes, view } = this.config;
    let at = first;
    let previous = -1;
    for (const entry of list) {
      const size = headerBytes + entry.body.length;
      if (at + size > end)
        throw new VfioUserError('INVALID_OPTION', `${this.name}: no room for capability 0x${entry.id.toString(16)}`);
      if (headerBytes === 2) {
        bytes[at] = entry.id;
        if (!this.#placed.has(entry.id)) this.#placed.set(entry.id, at);
        bytes[previous < 0 ? 0x34 : previous + 1] = at;
        bytes[0x06]! |= 0x10;
      } else {
        view.setUint32(at, (entry.id | ((entry.version ?? 1) << 16)) >>> 0, true);
        if (previous >= 0) view.setUint16(previous + 2, view.getUint16(previous + 2, true) | (at << 4), true);
      }
      bytes.set(entry.body, at + headerBytes);
      entry.place?.(this, at);
      previous = at;
      at = (at + size + 3) & ~3;
    }
  }

  #commandWritten(): void {
    if (!this.#bus) return;
    this.#bus.dma.enabled = (this.config.view.getUint16(COMMAND, true) & BUS_MASTER) !== 0;
    this.#interrupts?.refresh();
  }
}
