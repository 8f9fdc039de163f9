import { isIP } from 'node:net';
import { AgentError } from '../errors.ts';

/** Values that become words of an `ip` batch, where blanks and newlines would be syntax. */

export function checkInterfaceName(name: string): string {
  if (/^[a-zA-Z0-9_.:@-]{1,15}$/.test(name) && name !== '.' && name !== '..' && !name.startsWith('-')) return name;
  throw invalid('interface name', name, '1 to 15 letters, digits and "_.:@-"');
}

export function checkHardwareAddress(address: string): string {
  const lower = address.toLowerCase();
  if (/^[0-9a-f]{2}(:[0-9a-f]{2}){5,19}$/.test(lower)) return lower;
  throw invalid('hardware address', address, 'hex bytes with colons');
}

export function checkAddress(address: string): string {
  if (isIP(address) !== 0) return address;
  throw invalid('IP address', address, 'IPv4 or IPv6');
}

/** An address with an optional prefix length, or empty or `default` for everything. */
export function checkDestination(destination: string): string {
  if (destination === '' || destination === 'default') return 'default';
  const [address = '', length, ...more] = destination.split('/');
  const family = isIP(address);
  const most = family === 6 ? 128 : 32;
  const isLength = length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= most);
  if (family !== 0 && isLength && more.length === 0) return destination;
  throw invalid('route destination', destination, 'ADDRESS or ADDRESS/LENGTH');
}

/** A prefix length, or an IPv4 netmask such as 255.255.255.0. */
export function checkPrefix(mask: string, family: number): number {
  const most = family === 6 ? 128 : 32;
  if (/^\d{1,3}$/.test(mask) && Number(mask) <= most) return Number(mask);
  if (isIP(mask) === 4) {
    const bits = mask
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('');
    if (/^1*0*$/.test(bits)) return bits.replaceAll('0', '').length;
  }
  throw invalid('network mask', mask, `a length of 0 to ${most} or an IPv4 mask`);
}

function invalid(what: string, value: string, expected: string): AgentError {
  return new AgentError('INVALID_ARGUMENT', `invalid ${what} ${JSON.stringify(value)}: expected ${expected}`);
}
