import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildTree } from '../sysfs/build-tree.ts';
import { explainFiles } from './explain-files.ts';
import { stringifyJson } from './stringify.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'explain-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const write = (name: string, value: unknown) => {
  const file = path.join(directory, name);
  writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
  return file;
};
const mockAccel = { name: 'mock0', uuid: '11111111-1111-4111-8111-111111111111', node: 'c 240:0' };
const machine = { roots: [{ bus: '00', functions: [{ at: '02.0', functions: [{ at: '00.0', mockAccel }] }] }] };
const request = {
  method: 'CreateContainer',
  request: {
    containerId: 'c1',
    OCI: {
      Version: '1.1.0',
      Process: { Args: ['x'], Cwd: '/' },
      Linux: { Devices: [{ Path: '/dev/mock0', Type: 'c' }] },
    },
  },
};

describe('explaining files', () => {
  test('plans a recorded request on a built tree, with its inventory', async () => {
    const root = path.join(directory, 'tree');
    expect(buildTree(write('machine.json', machine), root)).toBe(2);
    const device = { uuid: mockAccel.uuid, hostAddress: '0000:1a:00.0', deviceTreePath: '02/00', numaNode: -1 };
    const devices = [{ ...device, model: 'mock-accel', cdiName: '0', containerPath: '/dev/mock0' }];
    const inventory = write('inventory.json', { version: 1, devices });
    const files = { request: write('request.json', request), root, inventory, warnUntranslated: false };
    expect(await explainFiles(files)).toMatchObject({
      devices: [{ containerPath: '/dev/mock0', type: 'placeholder', node: 'c 240:0' }],
      addresses: { '0000:1a:00.0': '0000:01:00.0' },
    });
  });

  test.each([
    ['a root without sys', { root: 'absent' }, 'has no sys directory'],
    ['a request that is no JSON', { request: 'bad.json' }, 'the request is not JSON'],
    ['a request that is not there', { request: 'absent.json' }, 'cannot read the request'],
    ['an inventory that is none', { inventory: 'bad.json' }, 'cannot read the inventory'],
  ])('refuses %s with the reason', async (_, change, message) => {
    mkdirSync(path.join(directory, 'root/sys'), { recursive: true });
    write('bad.json', '{');
    const files = { root: 'root', request: path.basename(write('request.json', request)), ...change };
    const absolute = Object.fromEntries(Object.entries(files).map(([key, name]) => [key, path.join(directory, name)]));
    const refused = explainFiles({ ...(absolute as typeof files), warnUntranslated: false });
    await expect(refused).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining(message) });
  });
});

describe('building a tree', () => {
  test('refuses a directory that is not empty', () => {
    expect(() => buildTree(write('machine.json', machine), directory)).toThrow('is not empty');
  });

  test.each([
    ['{', 'cannot read'],
    ['{}', 'no list "roots"'],
    ['{"roots":[{"bus":"zz","functions":[]}]}', 'invalid bus "zz"'],
  ])('refuses the description %s', (text, message) => {
    expect(() => buildTree(write('machine.json', text), path.join(directory, 'new'))).toThrow(message);
  });
});

test('large numbers are written exactly', () => {
  expect(JSON.parse(stringifyJson({ a: 1 }))).toEqual({ a: 1 });
  expect(stringifyJson({ limit: 9223372036854775807n })).toBe('{\n  "limit": 9223372036854775807\n}');
});
