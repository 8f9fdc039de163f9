import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parsePath, pciPathToSysfs } from './index.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'pci-path-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const bridge = '0000:00:02.0';
const tree = (...directories: string[]) => {
  for (const directory of directories) mkdirSync(path.join(root, directory), { recursive: true });
};
const resolve = (text: string, bus = '0000:00') => pciPathToSysfs(root, bus, parsePath(text));

describe('a PCI path is followed through sysfs', () => {
  test('a single element need not exist', () => {
    expect(resolve('02')).toBe('/0000:00:02.0');
  });

  test('a bridge that is not there ends it', () => {
    expect(() => resolve('02/03')).toThrow(
      `failed to resolve next bus for PCI path element 0 (device ${bridge}) under root ${root}`,
    );
  });

  test('a bridge without pci_bus and without children ends it, with every reason in the message', () => {
    tree(bridge);
    const expected = [
      `failed to resolve next bus for PCI path element 0 (device ${bridge}) under root ${root}`,
      `bridge ${root}/${bridge} has no pci_bus directory; fallback to child device scan failed`,
      `failed to infer downstream bus from child PCI devices under ${root}/${bridge}`,
      'no downstream PCI devices found',
    ].join(': ');
    expect(() => resolve('02/03')).toThrow(expect.objectContaining({ code: 'BUS_NOT_FOUND', message: expected }));
  });

  test('the entry of pci_bus is the next bus; the device itself need not exist', () => {
    tree(`${bridge}/pci_bus/0000:01`);
    expect(resolve('02/03')).toBe('/0000:00:02.0/0000:01:03.0');
    expect(() => resolve('02/03/04')).toThrow('element 1 (device 0000:01:03.0)');
    tree(`${bridge}/0000:01:03.0/pci_bus/0000:02`);
    expect(resolve('02/03/04')).toBe('/0000:00:02.0/0000:01:03.0/0000:02:04.0');
  });

  test('without pci_bus the children tell the bus', () => {
    tree(`${bridge}/0000:01:03.0`);
    expect(resolve('02/03')).toBe('/0000:00:02.0/0000:01:03.0');
  });

  test('an empty pci_bus is an error even when children would tell the bus', () => {
    tree(`${bridge}/pci_bus`, `${bridge}/0000:01:03.0`);
    expect(() => resolve('02/03')).toThrow(`expected exactly one PCI bus in ${root}/${bridge}/pci_bus, got 0`);
  });

  test('two entries in pci_bus are an error that names them', () => {
    tree(`${bridge}/pci_bus/0000:01`, `${bridge}/pci_bus/0000:02`);
    expect(() => resolve('02/03')).toThrow('got 2 [0000:01, 0000:02]');
  });

  test('children on several buses are an error that names them', () => {
    tree(`${bridge}/0000:01:03.0`, `${bridge}/0000:02:03.0`);
    expect(() => resolve('02/03')).toThrow('multiple downstream buses found: [0000:01, 0000:02]');
  });

  test('files and links that look like children are ignored', () => {
    tree(`${bridge}/0000:01:03.0`);
    writeFileSync(path.join(root, bridge, '0000:05:00.0'), '');
    symlinkSync('.', path.join(root, bridge, '0000:06:00.0'));
    expect(resolve('02/03')).toBe('/0000:00:02.0/0000:01:03.0');
  });

  test('a name that is not UTF-8 is an error', () => {
    tree(bridge);
    writeFileSync(Buffer.concat([Buffer.from(`${root}/${bridge}/`), Buffer.from([0xff])]), '');
    expect(() => resolve('02/03')).toThrow(expect.objectContaining({ code: 'NOT_UTF8' }));
  });

  test('another root bus is where a path behind a pxb starts', () => {
    tree('0000:a0:00.0/pci_bus/0000:a1');
    expect(resolve('00/00', '0000:a0')).toBe('/0000:a0:00.0/0000:a1:00.0');
  });

  test('an empty path is an error', () => {
    expect(() => pciPathToSysfs(root, '0000:00', [])).toThrow('empty PCI path');
  });
});
