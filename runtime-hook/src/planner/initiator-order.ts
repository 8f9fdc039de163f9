/**
 * The order in which QEMU lists the `-object`s of a VM.
 *
 * Linux numbers NUMA nodes in the order it meets them in the ACPI SRAT table, whatever number QEMU gave them. Nodes
 * without memory or CPUs are there only through their acpi-generic-initiator objects, which QEMU lists in the order of
 * the hash table that holds all user-created objects. To make guest node N the node N of the command line, the planner
 * chooses the ids of these objects so that the table lists them by node. The table is GLib's GHashTable: djb2 hash,
 * open addressing, a prime as modulus. Measured on QEMU 11.1: the order comes out as computed here.
 */

/** Largest prime below each power of two: the moduli of GLib's hash table, by the shift of its size. */
const moduli = [1, 2, 3, 7, 13, 31, 61, 127, 251, 509, 1021];
const smallestShift = 3;
/** Ids tried for one place in the table, and whole choices tried. */
const mostSuffixes = 1024;
const mostChoices = 16;

/** Ids (`<stem>` or `<stem>-<number>` each) that, added after `existing`, are listed in the order of the stems. */
export function idsInOrder(existing: readonly string[], stems: readonly string[]): string[] | undefined {
  if (stems.length < 2) return [...stems];
  for (let choice = 0; choice < mostChoices; choice++) {
    const ids = chooseIds(existing, stems, choice * mostSuffixes);
    // A table that grows between two insertions may put them elsewhere: take the next choice then.
    if (ids && listsInOrder([...existing, ...ids], ids)) return ids;
  }
  return undefined;
}

/** Spreads the ids over the free slots of the table: for each slot, in order, an id that lands in it. */
function chooseIds(existing: readonly string[], stems: readonly string[], firstSuffix: number): string[] | undefined {
  const size = tableSize(existing.length + stems.length);
  let table = filledTable(existing);
  if (table.length !== size) table = rehashed(table, size);
  const open = [...table.keys()].filter((slot) => table[slot] === undefined);
  // A slot that is some id's home keeps its id when the table grows; the few beyond the modulus are reached by collision.
  const homes = open.filter((slot) => slot < modulusOf(size));
  const free = homes.length >= stems.length ? homes : open;
  const ids: string[] = [];
  for (const [index, stem] of stems.entries()) {
    const target = free[Math.floor((index * free.length) / stems.length)] ?? 0;
    let suffix = firstSuffix;
    const id = () => (suffix === 0 ? stem : `${stem}-${suffix}`);
    const lands = () => (free === homes ? homeOf(id(), size) : placeFor(table, id())) === target;
    while (!lands()) if (++suffix === firstSuffix + mostSuffixes) return undefined;
    insert(table, id());
    ids.push(id());
  }
  return ids;
}

/** The keys of a GHashTable that got these strings one after the other, in the order it lists them. */
export function hashTableOrder(keys: readonly string[]): string[] {
  return filledTable(keys).filter((key) => key !== undefined);
}

type Table = (string | undefined)[];

function filledTable(keys: readonly string[]): Table {
  let table: Table = new Array(1 << smallestShift);
  for (const [index, key] of keys.entries()) {
    insert(table, key);
    if (isFull(table.length, index + 1)) table = rehashed(table, grownSize(index + 1));
  }
  return table;
}

function rehashed(old: Table, size: number): Table {
  const table: Table = new Array(size);
  for (const key of old) if (key !== undefined) insert(table, key);
  return table;
}

function listsInOrder(keys: readonly string[], wanted: readonly string[]): boolean {
  const order = hashTableOrder(keys);
  return wanted.every((key, index) => index === 0 || order.indexOf(wanted[index - 1] ?? '') < order.indexOf(key));
}

function insert(table: Table, key: string): void {
  table[placeFor(table, key)] = key;
}

function placeFor(table: Readonly<Table>, key: string): number {
  let slot = homeOf(key, table.length);
  for (let step = 1; table[slot] !== undefined; step++) slot = (slot + step) & (table.length - 1);
  return slot;
}

function homeOf(key: string, size: number): number {
  let hash = 5381;
  for (const byte of Buffer.from(key)) hash = (Math.imul(hash, 33) + byte) | 0;
  return (Math.imul(hash, 11) >>> 0) % modulusOf(size);
}

function modulusOf(size: number): number {
  return moduli[Math.log2(size)] ?? 1021;
}

function isFull(size: number, count: number): boolean {
  return size <= count + Math.floor(count / 16);
}

function tableSize(keys: number): number {
  let size = 1 << smallestShift;
  for (let count = 1; count <= keys; count++) if (isFull(size, count)) size = grownSize(count);
  return size;
}

function grownSize(count: number): number {
  const bits = Math.floor(Math.log2(Math.floor(count * 1.333))) + 1;
  return 1 << Math.max(bits, smallestShift);
}
