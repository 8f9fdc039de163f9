import { formatAddress, formatBus } from '../address.ts';
import { PciError } from '../errors.ts';
import { parseSlotFunction } from '../slot-function.ts';
import type { FunctionDescription, RootDescription, TreeDescription } from './description.ts';
import type { PlacedFunction } from './function-files.ts';

/** Gives every described function its address and devpath, parents first. Bus numbers left out are taken in order. */
export function placeFunctions(description: TreeDescription): PlacedFunction[] {
  const placed: PlacedFunction[] = [];
  for (const root of description.roots) {
    const bus = busNumber(root.bus);
    const parent: Parent = { domain: domainNumber(root), bus, devpath: rootDevpath(root), arrives: 'now' };
    placeBelow(root.functions, parent, { next: bus + 1 }, placed);
  }
  return placed;
}

/** `/devices/pci0000:20`, below a platform device where the description says so. */
export function rootDevpath(root: RootDescription): string {
  const name = `pci${formatBus(domainNumber(root), busNumber(root.bus))}`;
  return root.platform ? `/devices/platform/${root.platform}/${name}` : `/devices/${name}`;
}

/** What the functions of one bus have in common. */
interface Parent extends Pick<PlacedFunction, 'domain' | 'devpath' | 'arrives'> {
  readonly bus: number;
}

function placeBelow(
  functions: readonly FunctionDescription[],
  parent: Parent,
  counter: { next: number },
  placed: PlacedFunction[],
): void {
  for (const description of functions) {
    const { domain } = parent;
    const bus = description.bus === undefined ? parent.bus : busNumber(description.bus);
    const address = formatAddress({ domain, bus, ...parseSlotFunction(description.at) });
    const devpath = `${parent.devpath}/${address}`;
    const downstreamBus = downstreamOf(description, counter);
    const { arrives: own = 'now' } = description;
    const arrives = own === 'now' ? parent.arrives : own;
    placed.push({ address, devpath, description, domain, downstreamBus, arrives });
    placeBelow(description.functions ?? [], { domain, devpath, arrives, bus: downstreamBus ?? bus }, counter, placed);
  }
}

function downstreamOf(description: FunctionDescription, counter: { next: number }): number | undefined {
  const isBridge = description.functions || description.pciBus || description.downstreamBus !== undefined;
  if (!isBridge) return undefined;
  const bus = description.downstreamBus === undefined ? counter.next : busNumber(description.downstreamBus);
  counter.next = Math.max(counter.next, bus + 1);
  return bus;
}

function domainNumber({ domain = '0000' }: RootDescription): number {
  if (!/^[0-9a-f]{1,4}$/i.test(domain))
    throw new PciError('INVALID_TREE', `invalid domain "${domain}": expected 0000 to ffff`);
  return Number.parseInt(domain, 16);
}

function busNumber(text: string): number {
  if (!/^[0-9a-f]{1,2}$/i.test(text)) throw new PciError('INVALID_TREE', `invalid bus "${text}": expected 00 to ff`);
  return Number.parseInt(text, 16);
}
