import type { BookRegister } from '../register-book/book.ts';
import { PciFunction, type PciFunctionOptions } from './pci-function.ts';
import { RegisterBlock } from './registers/register-block.ts';

/** A register described in place, for devices without a register book. */
export interface InlineRegister {
  /** Byte offset. */
  offset: number;
  /** Bytes, default 4. */
  width?: number;
  /** Default RW. */
  access?: BookRegister['access'];
  /** Value after reset, default 0. */
  reset?: number | bigint;
  /** Gives the value of a read. */
  read?(fn: PciFunction): number | bigint;
  /** Told of a write; false keeps the old value. */
  write?(value: number, fn: PciFunction, exact: number | bigint): unknown;
}

export interface PciDeviceOptions extends Omit<PciFunctionOptions, 'bars'> {
  /** By BAR number: its size in bytes, its registers by name. */
  registers: Record<number, { size: number; registers: Record<string, InlineRegister> }>;
  bars?: PciFunctionOptions['bars'];
}

/** A PCI function and the register blocks of its BARs. */
export class PciDevice extends PciFunction {
  readonly blocks: Record<number, RegisterBlock>;

  constructor(options: PciFunctionOptions, blocks: Record<number, RegisterBlock>) {
    super(options);
    this.blocks = blocks;
  }
}

/** Makes a device from a description: the short way for most devices. */
export function pciDevice(options: PciDeviceOptions): PciDevice {
  let device: PciDevice;
  const blocks: Record<number, RegisterBlock> = {};
  for (const [bar, { size, registers }] of Object.entries(options.registers))
    blocks[Number(bar)] = block(size, registers, () => device);
  const bars = Object.fromEntries(Object.entries(blocks).map(([bar, region]) => [bar, { region }]));
  const reset: PciFunctionOptions['reset'] = (reason) => {
    for (const one of Object.values(blocks)) one.reset();
    options.reset?.(reason);
  };
  const describe = () => Object.values(blocks).flatMap((one) => one.describe());
  device = new PciDevice({ describe, ...options, bars: { ...bars, ...options.bars }, reset }, blocks);
  return device;
}

function block(size: number, registers: Record<string, InlineRegister>, device: () => PciDevice): RegisterBlock {
  const list = Object.entries(registers).map(
    ([name, { offset, width = 4, access = 'RW', reset = 0 }]): BookRegister => ({
      name,
      offset: String(offset),
      width,
      access,
      reset: String(reset),
      part: 'base',
      description: name,
    }),
  );
  const handlers = Object.fromEntries(
    Object.entries(registers).map(([name, { read, write }]) => [
      name,
      {
        ...(read && { read: () => read(device()) }),
        ...(write && { write: (value: number, exact: number | bigint) => write(value, device(), exact) }),
      },
    ]),
  );
  return new RegisterBlock(
    { size: String(size), registers: list.sort((a, b) => Number(a.offset) - Number(b.offset)) },
    handlers,
  );
}
