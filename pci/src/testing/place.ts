import { formatAddress } from '../address.ts';
import { PciError } from '../errors.ts';
import { parseSlotFunction } from '../slot-function.ts';
import type { FunctionDescription, RootDescription, TreeDescription } from './description.ts';
import type { PlacedFunction } from './function-files.ts';

/** Gives every described function its address and devpath, parents first. Bus numbers left out are taken in order. */
export function placeFunctions(description: TreeDescription): PlacedFunction[] {
  const placed: PlacedFunction[] = [];
  for (const root of description.roots) {
    const bus = busNumber(root.bus);
    const counter = { next: bus + 1 };
    placeBelow(root.functions, bus, rootDevpath(root, bus), counter, placed);
  }
  return placed;
}

/** `/devices/pci0000:20`, below a platform device where the description says so. */
export function rootDevpath(root: RootDescription, bus: number = busNumber(root.bus)): string {
  const name = `pci0000:${bus.toString(16).padStart(2, '0')}`;
  return root.platform ? `/devices/platform/${root.platform}/${name}` : `/devices/${name}`;
}

function placeBelow(
  functions: readonly FunctionDescription[],
  parentBus: number,
  parentPath: string,
  counter: { next: number },
  placed: PlacedFunction[],
): void {
  for (const description of functions) {
    const bus = description.bus === undefined ? parentBus : busNumber(description.bus);
    const address = formatAddress({ domain: 0, bus, ...parseSlotFunction(description.at) });
    const devpath = `${parentPath}/${address}`;
    const downstreamBus = downstreamOf(description, counter);
    placed.push({ address, devpath, description, downstreamBus });
    placeBelow(description.functions ?? [], downstreamBus ?? bus, devpath, counter, placed);
  }
}

function downstreamOf(description: FunctionDescription, counter: { next: number }): number | undefined {
  const isBridge = description.functions || description.pciBus || description.downstreamBus !== undefined;
  if (!isBridge) return undefined;
  const bus = description.downstreamBus === undefined ? counter.next : busNumber(description.downstreamBus);
  counter.next = Math.max(counter.next, bus + 1);
  return bus;
}

function busNumber(text: string): number {
  if (!/^[0-9a-f]{1,2}$/i.test(text)) throw new PciError('INVALID_TREE', `invalid bus "${text}": expected 00 to ff`);
  return Number.parseInt(text, 16);
}
