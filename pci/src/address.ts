import { PciError } from './errors.ts';
import { formatSlotFunction, parseSlotFunction, type SlotFunction } from './slot-function.ts';

/** One function in a PCI hierarchy: `domain:bus:slot.function`. */
export interface Address extends SlotFunction {
  /** 0..0xffff */
  readonly domain: number;
  /** 0..0xff */
  readonly bus: number;
}

/** Reads `DDDD:BB:SS.F`: hex, any case, leading zeros may be missing. Throws INVALID_ADDRESS. */
export function parseAddress(text: string): Address {
  const parts = text.split(':');
  if (parts.length !== 3) throw invalid(text, 'expected DDDD:BB:SS.F');
  const [domain, bus, rest] = parts as [string, string, string];
  if (!rest.includes('.')) throw invalid(text, 'expected DDDD:BB:SS.F, the function is missing');
  try {
    return {
      domain: hexWithin(text, 'domain', domain, 4),
      bus: hexWithin(text, 'bus', bus, 2),
      ...parseSlotFunction(rest),
    };
  } catch (error) {
    if (error instanceof PciError && error.code === 'INVALID_SLOT_FUNCTION') throw invalid(text, error.message);
    throw error;
  }
}

/** Lower case and zero padded: `0000:1a:00.0`. */
export function formatAddress(address: Address): string {
  return `${formatBus(address.domain, address.bus)}:${formatSlotFunction(address)}`;
}

/** `0000:1a`, the way sysfs names a bus. */
export function formatBus(domain: number, bus: number): string {
  return `${domain.toString(16).padStart(4, '0')}:${bus.toString(16).padStart(2, '0')}`;
}

/** Whether a directory name is exactly what sysfs would call a function. */
export function isAddressName(name: string): boolean {
  return /^[0-9a-f]{4,}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/.test(name);
}

/** By domain, bus, slot and function: the order in which a person lists functions. */
export function compareAddresses(a: Address, b: Address): number {
  return a.domain - b.domain || a.bus - b.bus || a.slot - b.slot || a.function - b.function;
}

function hexWithin(text: string, what: string, digits: string, most: number): number {
  if (!/^[0-9a-f]+$/i.test(digits)) throw invalid(text, `${what} "${digits}" is not hex`);
  if (digits.length > most) throw invalid(text, `${what} "${digits}" has more than ${most} digits`);
  return Number.parseInt(digits, 16);
}

function invalid(text: string, why: string): PciError {
  return new PciError('INVALID_ADDRESS', `invalid PCI address "${text}": ${why}`);
}
