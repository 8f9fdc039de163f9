import { isIP } from 'node:net';
import path from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { InterfaceSchema } from '@kata-mock/contracts';
import { type Interface, IPFamily } from '@kata-mock/contracts';
import { readAttribute, readEntriesIfAny } from '@kata-mock/pci';
import { AgentError } from '../errors.ts';
import { checkAddress, checkHardwareAddress, checkInterfaceName, checkPrefix } from './checks.ts';
import type { Ip, IpLink } from './ip.ts';

const IFF_NOARP = 0x80;
const MOST_MTU = 65_536n;

/** Commands that make a link what the request says. It goes down for that: a link that is up cannot be renamed. */
export function interfaceCommands(present: string, wanted: Interface): string[][] {
  const from = checkInterfaceName(present);
  const name = checkInterfaceName(wanted.name === '' ? from : wanted.name);
  if (wanted.mtu > MOST_MTU) throw new AgentError('INVALID_ARGUMENT', `invalid MTU ${wanted.mtu}: at most ${MOST_MTU}`);
  const addresses = wanted.IPAddresses.map(({ address, mask }) => {
    const checked = checkAddress(address);
    return `${checked}/${checkPrefix(mask, isIP(checked))}`;
  });
  return [
    ['link', 'set', 'dev', from, 'down'],
    ...(from === name ? [] : [['link', 'set', 'dev', from, 'name', name]]),
    ['address', 'flush', 'dev', name, 'scope', 'global'],
    ...addresses.map((address) => ['address', 'replace', address, 'dev', name]),
    ...(wanted.mtu > 0n ? [['link', 'set', 'dev', name, 'mtu', `${wanted.mtu}`]] : []),
    ...(wanted.rawFlags & IFF_NOARP ? [['link', 'set', 'dev', name, 'arp', 'off']] : []),
    ['link', 'set', 'dev', name, 'up'],
  ];
}

/** Name of the interface with a hardware address, by sysfs: a hot-plugged card may not be there yet. */
export function interfaceInSysfs(sysfs: string, hwAddr: string): string | undefined {
  const wanted = checkHardwareAddress(hwAddr);
  const directory = path.join(sysfs, 'class/net');
  return readEntriesIfAny(directory).find(({ name }) => readAttribute(path.join(directory, name), 'address') === wanted)
    ?.name;
}

/** The link with a hardware address, which is all a shim knows of it. */
export async function linkByHardwareAddress(ip: Ip, hwAddr: string): Promise<IpLink | undefined> {
  const wanted = checkHardwareAddress(hwAddr);
  return (await ip.links()).find((link) => link.address?.toLowerCase() === wanted);
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
