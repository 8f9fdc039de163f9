const SECTOR = 512;
/** First partitions begin at 1 MiB by custom. */
export const FIRST_SECTOR = 2048;
/** Linux file system. */
const TYPE_LINUX = 0x83;
const ENTRY = 446;
const LARGEST_SECTORS = 0xffff_ffff - FIRST_SECTOR;

/**
 * A partition table with one partition, to be followed at byte `FIRST_SECTOR * 512` by `bytes` of data. Guests find
 * the data of an extension in its first partition; a second one would be its hashes.
 */
export function partitionTable(bytes: number): Buffer {
  const sectors = Math.ceil(bytes / SECTOR);
  if (bytes <= 0 || sectors > LARGEST_SECTORS)
    throw new RangeError(`a partition of ${bytes} bytes cannot be described`);
  const table = Buffer.alloc(FIRST_SECTOR * SECTOR);
  table[ENTRY + 4] = TYPE_LINUX;
  // Cylinders, heads and sectors say "beyond what can be said".
  for (const at of [1, 5]) table.set([0xfe, 0xff, 0xff], ENTRY + at);
  table.writeUInt32LE(FIRST_SECTOR, ENTRY + 8);
  table.writeUInt32LE(sectors, ENTRY + 12);
  table.writeUInt16LE(0xaa55, SECTOR - 2);
  return table;
}
