import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Code } from '../code.ts';
import { type Address, formatAddress, parseAddress } from './address.ts';

const good: [text: string, address: Address, formatted?: string][] = [
  ['unix:///run/a.sock', { kind: 'unix', path: '/run/a.sock' }],
  ['unix://relative.sock', { kind: 'unix', path: 'relative.sock' }],
  ['unix://@name', { kind: 'abstract', name: 'name' }],
  ['tcp://127.0.0.1:80', { kind: 'tcp', host: '127.0.0.1', port: 80 }],
  ['tcp://[::1]:0', { kind: 'tcp', host: '::1', port: 0 }],
  ['vsock://3:1024', { kind: 'vsock', cid: 3, port: 1024 }],
  ['vsock://any:1024', { kind: 'vsock', cid: 0xffff_ffff, port: 1024 }, 'vsock://4294967295:1024'],
  ['vsock://-1:1024', { kind: 'vsock', cid: 0xffff_ffff, port: 1024 }, 'vsock://4294967295:1024'],
  ['hvsock:///run/vm.sock:1024', { kind: 'hvsock', path: '/run/vm.sock', port: 1024 }],
  ['hvsock:///run/a:b.sock:4294967295', { kind: 'hvsock', path: '/run/a:b.sock', port: 0xffff_ffff }],
];

test.for(good)('%s is an address', ([text, address, formatted]) => {
  expect(parseAddress(text)).toEqual(address);
  expect(formatAddress(address)).toBe(formatted ?? text);
});

const bad: [text: string, reason: string][] = [
  ['', 'unknown form'],
  ['/run/a.sock', 'unknown form'],
  ['http://x', 'unknown form'],
  ['unix://', 'unknown form'],
  ['unix://@', 'empty path'],
  ['unix:///a\0b', 'a NUL in it'],
  [`unix:///${'x'.repeat(107)}`, 'path of 108 bytes, the system takes 107'],
  [`unix:///${'é'.repeat(54)}`, 'path of 109 bytes'],
  ['tcp://host', 'it needs a port up to 65535'],
  ['tcp://host:65536', 'it needs a port up to 65535'],
  ['tcp://:80', 'it needs a port'],
  ['tcp://host:+80', 'it needs a port'],
  ['vsock://3', 'it needs a port up to 4294967295'],
  ['vsock://3:4294967296', 'it needs a port'],
  ['vsock://x:1', 'context id'],
  ['vsock://4294967296:1', 'context id'],
  ['hvsock:///run/vm.sock', 'it needs a port'],
];

test.for(bad)('%j is refused with the reason and the accepted forms', ([text, reason]) => {
  expect(() => parseAddress(text)).toThrow(
    expect.objectContaining({ code: Code.INVALID_ARGUMENT, message: expect.stringContaining(reason) }),
  );
  expect(() => parseAddress(text)).toThrow(/use unix:\/\/\/path, unix:\/\/@name/);
});

test('any text is an address or refused by INVALID_ARGUMENT, and an address comes back from its text', () => {
  const text = fc.oneof(
    fc.string(),
    fc.tuple(fc.constantFrom('unix', 'tcp', 'vsock', 'hvsock'), fc.string()).map(([kind, rest]) => `${kind}://${rest}`),
  );
  fc.assert(
    fc.property(text, (input) => {
      let address: Address;
      try {
        address = parseAddress(input);
      } catch (error) {
        expect(error).toMatchObject({ code: Code.INVALID_ARGUMENT });
        return;
      }
      expect(parseAddress(formatAddress(address))).toEqual(address);
    }),
  );
});
