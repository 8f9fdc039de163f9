import { isIP } from 'node:net';
import path from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { InterfaceSchema } from '@kata-mock/contracts';
import { type Interface, IPFamily } from '@kata-mock/contracts';
import { readAttribute, readEntriesIfAny } from '@kata-mock/pci';
import { AgentError } from '../errors.ts';
import { checkAddress, checkHardwareAddress, checkInterfaceName, checkPrefix } from './checks.ts';
import type { IpLink } from './ip.ts';

const IFF_NOARP = 0x80;
const MOST_MTU = 65_536n;

/**
 * Commands that make a link what the request says. To be renamed it goes down. Another link that has the name gets this
 * one's for it, as with Kata's agent: cards that the guest found in another order than the host come right one by one.
 * @param links all of them
 */
export function interfaceCommands(link: IpLink, wanted: Interface, links: readonly IpLink[]): string[][] {
  const from = checkInterfaceName(link.ifname);
  const name = checkInterfaceName(wanted.name === '' ? from : wanted.name);
  if (wanted.mtu > MOST_MTU) throw new AgentError('INVALID_ARGUMENT', `invalid MTU ${wanted.mtu}: at most ${MOST_MTU}`);
  const addresses = wanted.IPAddresses.map(({ address, mask }) => {
    const checked = checkAddress(address);
    return `${checked}/${checkPrefix(mask, isIP(checked))}`;
  });
  const holder = from === name ? undefined : links.find(({ ifname }) => ifname === name);
  return [
    ...(holder ? swap(link, holder) : from === name ? [] : [set(from, 'down'), rename(from, name)]),
    ['address', 'flush', 'dev', name, 'scope', 'global'],
    ...addresses.map((address) => ['address', 'replace', address, 'dev', name]),
    ...(wanted.mtu > 0n ? [set(name, 'mtu', `${wanted.mtu}`)] : []),
    ...(wanted.rawFlags & IFF_NOARP ? [set(name, 'arp', 'off')] : []),
    set(name, 'up'),
  ];
}

/**
 * Commands that give links the names, addresses and states they had before commands for them failed half way. Each may
 * fail, and the next is still worth trying.
 */
export function restoreCommands(before: readonly IpLink[], now: readonly IpLink[]): string[][] {
  const changed = before.flatMap((link) => {
    const present = now.find(({ ifindex }) => ifindex === link.ifindex);
    return present && stateOf(present) !== stateOf(link) ? [{ link, present }] : [];
  });
  const renamed = changed.filter(({ link, present }) => link.ifname !== present.ifname);
  return [
    // First out of each other's way.
    ...renamed.flatMap(({ link, present }) => [
      set(present.ifname, 'down'),
      rename(present.ifname, temporaryName(link.ifindex)),
    ]),
    ...renamed.map(({ link }) => rename(temporaryName(link.ifindex), link.ifname)),
    ...changed.flatMap(({ link }) => [
      ...(isUp(link) ? [set(link.ifname, 'up')] : []),
      ['address', 'flush', 'dev', link.ifname, 'scope', 'global'],
      ...globalAddresses(link).map((address) => ['address', 'replace', address, 'dev', link.ifname]),
    ]),
  ];
}

function swap(link: IpLink, holder: IpLink): string[][] {
  const aside = temporaryName(holder.ifindex);
  return [
    ...[set(link.ifname, 'down'), set(holder.ifname, 'down')],
    ...[rename(holder.ifname, aside), rename(link.ifname, holder.ifname), rename(aside, link.ifname)],
    ...(isUp(holder) ? [set(link.ifname, 'up')] : []),
  ];
}

function set(name: string, ...words: string[]): string[] {
  return ['link', 'set', 'dev', name, ...words];
}

function rename(from: string, to: string): string[] {
  return set(from, 'name', to);
}

function temporaryName(ifindex: number): string {
  return `km${ifindex}`;
}

function isUp({ flags }: IpLink): boolean {
  return flags.includes('UP');
}

function globalAddresses({ addr_info = [] }: IpLink): string[] {
  return addr_info.filter(({ scope }) => scope === 'global').map(({ local, prefixlen }) => `${local}/${prefixlen}`);
}

function stateOf(link: IpLink): string {
  return [link.ifname, isUp(link), ...globalAddresses(link).sort()].join(' ');
}

/** Name of the interface with a hardware address, by sysfs: a hot-plugged card may not be there yet. */
export function interfaceInSysfs(sysfs: string, hwAddr: string): string | undefined {
  const wanted = checkHardwareAddress(hwAddr);
  const directory = path.join(sysfs, 'class/net');
  return readEntriesIfAny(directory).find(({ name }) => readAttribute(path.join(directory, name), 'address') === wanted)
    ?.name;
}

/** The link with a hardware address, which is all a shim knows of it. */
export function linkByHardwareAddress(links: readonly IpLink[], hwAddr: string): IpLink | undefined {
  const wanted = checkHardwareAddress(hwAddr);
  return links.find((link) => link.address?.toLowerCase() === wanted);
}

export function describeLink(link: IpLink): MessageInitShape<typeof InterfaceSchema> {
  return {
    device: link.ifname,
    name: link.ifname,
    hwAddr: link.address ?? '',
    mtu: BigInt(link.mtu),
    type: link.link_type ?? '',
    IPAddresses: (link.addr_info ?? []).map(({ family, local, prefixlen }) => ({
      family: family === 'inet6' ? IPFamily.v6 : IPFamily.v4,
      address: local,
      mask: `${prefixlen}`,
    })),
  };
}
