import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Client } from '../client/client.ts';
import { type Host, startHost } from '../host/host.ts';
import { Reg } from '../mock-accel/gen/registers.ts';
import { resolveOptions } from '../mock-accel/options.ts';
import { PciRegion } from '../protocol/index.ts';
import { codeOf, temporaryDirectory } from '../testing.ts';
import { profileOptions, readProfiles } from './profiles.ts';
import { watchProfile } from './watch.ts';

let directory: ReturnType<typeof temporaryDirectory>;
let file: string;

beforeEach(() => {
  directory = temporaryDirectory();
  file = path.join(directory.path, 'profiles.json');
});
afterEach(() => directory.remove());

const store = (value: unknown) => {
  // Replaced as editors do, so that nobody sees half a file.
  writeFileSync(`${file}.new`, typeof value === 'string' ? value : JSON.stringify(value));
  renameSync(`${file}.new`, file);
};
const one = (options: object) => ({ version: 1, profiles: { gpu: options } });

describe('a profile file', () => {
  test('gives the options of a profile, the only one without a name', () => {
    store({ version: 1, profiles: { gpu: { vendor: '0x10de', memorySize: '80G' } } });
    expect(profileOptions(file)).toEqual({ vendor: '0x10de', memorySize: '80G' });
    store({ version: 1, profiles: { a: {}, b: { status: 5 } } });
    expect(profileOptions(file, 'b')).toEqual({ status: 5 });
    expect(codeOf(() => profileOptions(file))).toBe('NOT_FOUND');
    expect(codeOf(() => profileOptions(file, 'toString'))).toBe('NOT_FOUND');
  });

  test.each([
    ['no JSON', '{'],
    ['a list', []],
    ['no version', { profiles: {} }],
    ['a later version', { version: 2, profiles: {} }],
    ['no profiles', { version: 1 }],
    ['an unknown key', { version: 1, profiles: {}, more: 1 }],
    ['an unknown option', one({ colour: 'red' })],
    ['a bad value', one({ aperture: '3M' })],
    ['a profile that is a text', one('gpu' as unknown as object)],
  ])('with %s is refused by name', (_, value) => {
    store(value);
    expect(() => readProfiles(file)).toThrow(new RegExp(`profile file "${file}"`));
  });

  test('the schema knows every option there is, and no other', () => {
    const schema = JSON.parse(readFileSync(new URL('./profiles.schema.json', import.meta.url), 'utf8'));
    const named = Object.keys(schema.definitions.profile.properties).sort();
    const known = /known are (.*)$/.exec(messageOf(() => resolveOptions({ unknown: 1 } as object)))![1]!;
    expect(named).toEqual(known.split(', ').sort());
  });
});

describe('a reload', () => {
  let host: Host;
  let client: Client;
  beforeEach(async () => {
    store(one({ vendor: 1, status: 1 }));
    const socketPath = path.join(directory.path, 'd.sock');
    const options = { ...profileOptions(file) };
    host = await startHost({ functions: [{ id: 'd', socketPath, model: 'mock-accel', options }] });
    client = Client.connect(socketPath);
  });
  afterEach(async () => {
    client.close();
    await host.stop();
  });

  test('changes identity and registers of a running device within moments of the file', async () => {
    let refused: Error | undefined;
    const watcher = watchProfile(host, 'd', { path: file }, { refused: (error) => (refused = error) });
    store(one({ vendor: '0x10de', device: 7, status: '0x77', memorySize: '80G', firmwareVersion: 2 }));
    await expect.poll(() => client.read32(PciRegion.CONFIG, 0), { interval: 5 }).toBe(0x000710de);
    expect([
      client.read32(0, Reg.STATUS),
      client.read32(0, Reg.FW_VERSION),
      client.read32(0, Reg.MEMORY_SIZE + 4),
    ]).toEqual([0x77, 2, 20]);
    client.reset();
    expect([client.read32(PciRegion.CONFIG, 0), client.read32(0, Reg.STATUS)]).toEqual([0x000710de, 0x77]);

    store('not JSON');
    await expect.poll(() => refused?.message, { interval: 5 }).toMatch(/profile file/);
    expect(client.read32(0, Reg.STATUS)).toBe(0x77);
    watcher.close();
  });

  test('cannot change what the guest enumerated', async () => {
    const reload = (options: object) => host.request('d', 'reload', { options });
    await expect(reload({ aperture: '1M' })).rejects.toThrow(/cannot change aperture/);
    await expect(reload({ msix: false, totalVfs: 2 })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    await expect(reload({ colour: 1 })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    expect(client.read32(0, Reg.STATUS)).toBe(1);
  });
});

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}
