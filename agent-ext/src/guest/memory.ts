import path from 'node:path';
import { readAttribute } from '@kata-mock/pci';

const MEMORY = 'devices/system/memory';

/** File by which some kernels are told of memory; whether it exists is whether the kernel has that feature. */
export function memoryProbe(sysfs: string): string {
  return path.join(sysfs, MEMORY, 'probe');
}

/** Bytes that come or go at once with memory hot plug; 0 in a kernel without it. */
export function memoryBlockBytes(sysfs: string): bigint {
  const text = readAttribute(path.join(sysfs, MEMORY), 'block_size_bytes') ?? '';
  return /^[0-9a-f]{1,16}$/i.test(text) ? BigInt(`0x${text}`) : 0n;
}
