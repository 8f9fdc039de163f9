import { Code } from '../code.ts';
import { TtrpcError } from '../errors.ts';

/** Where a server listens. */
export type Address =
  | { kind: 'unix'; path: string }
  /** A name in the abstract namespace of Linux, without the NUL in front. */
  | { kind: 'abstract'; name: string }
  | { kind: 'tcp'; host: string; port: number }
  | { kind: 'vsock'; cid: number; port: number }
  /** A unix socket of a VMM that leads to the guest's vsock ports (Firecracker, Cloud Hypervisor, vhost-device-vsock). */
  | { kind: 'hvsock'; path: string; port: number };

export const ADDRESS_FORMS = 'unix:///path, unix://@name, tcp://host:port, vsock://cid:port or hvsock:///path:port';

/** Largest path of a unix socket on Linux, in bytes: 108 with its NUL. */
const MAX_PATH = 107;
const MAX_UINT32 = 0xffff_ffff;

/** Reads an address as containerd and Kata write it. Throws INVALID_ARGUMENT with the accepted forms. */
export function parseAddress(text: string): Address {
  const match = /^(unix|tcp|vsock|hvsock):\/\/(.+)$/s.exec(text);
  if (match === null) throw invalid(text, 'unknown form');
  const rest = match[2]!;
  switch (match[1]) {
    case 'unix':
      return rest.startsWith('@')
        ? { kind: 'abstract', name: socketPath(text, rest.slice(1)) }
        : { kind: 'unix', path: socketPath(text, rest) };
    case 'tcp': {
      const { head, port } = splitPort(text, rest, 65_535);
      return { kind: 'tcp', host: head.replace(/^\[(.*)\]$/, '$1'), port };
    }
    case 'vsock': {
      const { head, port } = splitPort(text, rest, MAX_UINT32);
      return { kind: 'vsock', cid: contextId(text, head), port };
    }
    default: {
      const { head, port } = splitPort(text, rest, MAX_UINT32);
      return { kind: 'hvsock', path: socketPath(text, head), port };
    }
  }
}

export function formatAddress(address: Address): string {
  switch (address.kind) {
    case 'unix':
      return `unix://${address.path}`;
    case 'abstract':
      return `unix://@${address.name}`;
    case 'tcp':
      return `tcp://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
    case 'vsock':
      return `vsock://${address.cid}:${address.port}`;
    case 'hvsock':
      return `hvsock://${address.path}:${address.port}`;
  }
}

function socketPath(text: string, path: string): string {
  if (path === '' || path.includes('\0')) throw invalid(text, 'empty path, or a NUL in it');
  const length = Buffer.byteLength(path);
  if (length > MAX_PATH) throw invalid(text, `path of ${length} bytes, the system takes ${MAX_PATH}`);
  return path;
}

function splitPort(text: string, rest: string, max: number): { head: string; port: number } {
  const match = /^(.*):(\d{1,10})$/s.exec(rest);
  const port = match === null ? Number.NaN : Number(match[2]);
  if (match === null || match[1] === '' || !(port <= max)) throw invalid(text, `it needs a port up to ${max}`);
  return { head: match[1]!, port };
}

/** `-1` and `any` listen on every context id. */
function contextId(text: string, head: string): number {
  if (head === '-1' || head === 'any') return MAX_UINT32;
  const cid = /^\d{1,10}$/.test(head) ? Number(head) : Number.NaN;
  if (!(cid <= MAX_UINT32)) throw invalid(text, 'the context id is not a number of 32 bits');
  return cid;
}

function invalid(text: string, reason: string): TtrpcError {
  return new TtrpcError(Code.INVALID_ARGUMENT, `address ${JSON.stringify(text)}: ${reason}; use ${ADDRESS_FORMS}`);
}
