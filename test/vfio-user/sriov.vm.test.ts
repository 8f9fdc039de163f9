import { afterAll, beforeAll, expect, test } from 'vitest';
import { BareGuest } from '../support/bare-guest/bare-guest.ts';

const CLASS = '/sys/class/mock-accel';
let guest: BareGuest;

beforeAll(async () => {
  const vf = (index: number) => ({ uuid: `VF-${index}`, vf: true, vfIndex: index, memorySize: '2G' });
  guest = await BareGuest.boot({ devices: [[{ uuid: 'PF', totalVfs: 3 }, vf(0), vf(1), vf(2)]] });
  expect(await guest.do.run(['modprobe', 'mock-accel'])).toMatchObject({ status: 0 });
});
afterAll(() => guest?.stop());

const read = async (path: string) => (await guest.do.read(path)).trim();
const vfs = async () => (await guest.do.list(CLASS)).filter((name) => name.includes('_vf'));

test('at boot only the physical function is there', async () => {
  expect(await guest.do.list(CLASS)).toEqual(['mock0']);
  expect(await read(`${CLASS}/mock0/device/sriov_totalvfs`)).toBe('3');
  expect(await read(`${CLASS}/mock0/sriov_totalvfs`)).toBe('3');
  expect(await read(`${CLASS}/mock0/sriov_numvfs`)).toBe('0');
});

test("the PCI core's sriov_numvfs makes virtual functions with their own registers", async () => {
  await guest.do.write(`${CLASS}/mock0/device/sriov_numvfs`, '2');
  await expect.poll(vfs, { timeout: 20_000 }).toEqual(['mock0_vf0', 'mock0_vf1']);
  expect(await read(`${CLASS}/mock0_vf1/uuid`)).toContain(Buffer.from('VF-1').toString('hex'));
  expect(await read(`${CLASS}/mock0_vf1/memory_size`)).toBe(String(2 * 1024 ** 3));
  expect(await guest.do.realpath(`${CLASS}/mock0/device/virtfn1`)).toBe(
    await guest.do.realpath(`${CLASS}/mock0_vf1/device`),
  );
  expect(await guest.do.realpath(`${CLASS}/mock0_vf1/device/physfn`)).toBe(
    await guest.do.realpath(`${CLASS}/mock0/device`),
  );
  const registers = await guest.host.registers('d0.0');
  expect(registers.find(({ name }) => name === 'SRIOV_NUM_VFS')!.value).toBe('0x00000002');
});

test('each function has a status of its own', async () => {
  await guest.do.write(`${CLASS}/mock0_vf0/status`, '0x11');
  expect(await read(`${CLASS}/mock0_vf0/status`)).toBe('0x00000011');
  expect(await read(`${CLASS}/mock0_vf1/status`)).toBe('0x00000001');
  expect(await read(`${CLASS}/mock0/status`)).toBe('0x00000001');
});

test('0 takes them away, and more than there are is refused', async () => {
  await guest.do.write(`${CLASS}/mock0/sriov_numvfs`, '0');
  await expect.poll(vfs, { timeout: 20_000 }).toEqual([]);
  await expect(guest.do.write(`${CLASS}/mock0/sriov_numvfs`, '4')).rejects.toThrow();
  await guest.do.write(`${CLASS}/mock0/sriov_numvfs`, '3');
  await expect.poll(vfs, { timeout: 20_000 }).toEqual(['mock0_vf0', 'mock0_vf1', 'mock0_vf2']);
});
