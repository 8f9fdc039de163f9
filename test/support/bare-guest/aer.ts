import type { BareGuest } from './bare-guest.ts';

/** Bits of the AER status registers (PCI Express Base Specification, 7.8.4). */
export interface AerBits {
  correctable?: number;
  uncorrectable?: number;
}

/** Lets the guest's aer_inject module, which must be loaded, report an error of the device at `address`. */
export async function injectAer(guest: BareGuest, address: string, error: AerBits): Promise<void> {
  const match = /^([0-9a-f]{4}):([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$/.exec(address);
  if (!match) throw new Error(`${address} is no PCI address`);
  const [domain, ...place] = match.slice(1).map((text) => Number.parseInt(text, 16));
  // struct aer_error_inj: bus, device, function, uncorrectable and correctable bits, four header words, domain.
  const bytes = Buffer.alloc(32);
  bytes.set(place);
  bytes.writeUInt32LE(error.uncorrectable ?? 0, 4);
  bytes.writeUInt32LE(error.correctable ?? 0, 8);
  bytes.writeUInt32LE(domain!, 28);
  await guest.do.writeBytes('/dev/aer_inject', bytes.toString('base64'));
}
