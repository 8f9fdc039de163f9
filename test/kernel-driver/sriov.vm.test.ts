import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BareGuest } from '../support/bare-guest/bare-guest.ts';
import { readU32, SET_STATUS, STATUS, u32 } from './ioctls.ts';

const CLASS = '/sys/class/mock-accel';
const PF = '11111111-2222-4333-8444-000000000000';
const VFS = ['11111111-2222-4333-8444-000000000001', '11111111-2222-4333-8444-000000000002'];

let guest: BareGuest;

beforeAll(async () => {
  guest = await BareGuest.boot({
    devices: [
      [{ uuid: PF, totalVfs: 2 }, ...VFS.map((uuid, vfIndex) => ({ uuid, vf: true, vfIndex }))],
      { uuid: 'MOCK-0000-0002' },
    ],
  });
  expect(await guest.do.run(['modprobe', 'mock-accel'])).toMatchObject({ status: 0 });
});
afterAll(() => guest?.stop());

/** The PF's name: which of the two devices Linux finds first is its business. */
async function pf(): Promise<string> {
  for (const name of await guest.do.list(CLASS)) {
    if ((await guest.do.read(`${CLASS}/${name}/uuid`)).trim() === PF) return name;
  }
  throw new Error('the PF has no class device');
}

const enable = async (count: number) => guest.do.write(`${CLASS}/${await pf()}/sriov_numvfs`, String(count));
const devices = () => guest.do.list(CLASS);

describe('SR-IOV', () => {
  it('shows two physical functions and no virtual one at first', async () => {
    expect(await devices()).toEqual(['mock0', 'mock1']);
    expect(await guest.do.read(`${CLASS}/${await pf()}/sriov_totalvfs`)).toBe('2\n');
    expect(await guest.do.read(`${CLASS}/${await pf()}/sriov_numvfs`)).toBe('0\n');
  });

  it('makes the virtual functions with names, nodes and links', async () => {
    await enable(2);
    const name = await pf();
    expect(await devices()).toEqual(['mock0', 'mock1', `${name}_vf0`, `${name}_vf1`].sort());
    const pci = await guest.do.realpath(`${CLASS}/${name}/device`);
    for (const [index, uuid] of VFS.entries()) {
      const folder = `${CLASS}/${name}_vf${index}`;
      expect(await guest.do.read(`${folder}/uuid`)).toBe(`${uuid}\n`);
      expect(await guest.do.read(`${folder}/memory_size`)).toBe(`${2 * 2 ** 30}\n`);
      expect(await guest.do.exists(`${folder}/sriov_numvfs`)).toBe(false);
      expect(await guest.do.realpath(`${folder}/device`)).toBe(await guest.do.realpath(`${pci}/virtfn${index}`));
      expect(await guest.do.realpath(`${folder}/device/physfn`)).toBe(pci);
      expect(await guest.do.read(`/dev/${name}_vf${index}`)).toContain(`UUID: ${uuid}`);
    }
  });

  it('gives each virtual function registers of its own', async () => {
    const name = await pf();
    const fd = await guest.do.open(`/dev/${name}_vf1`, 'r+');
    await guest.do.ioctl(fd, SET_STATUS, u32(0x77));
    expect(readU32(await guest.do.ioctl(fd, STATUS, u32(0)))).toBe(0x77);
    await guest.do.close(fd);
    expect(await guest.do.read(`${CLASS}/${name}_vf0/status`)).toBe('0x00000001\n');
    expect(await guest.do.read(`${CLASS}/${name}/status`)).toBe('0x00000001\n');
    const [, , vf1] = await Promise.all(['d0.0', 'd0.1', 'd0.2'].map((id) => guest.host.registers(id)));
    expect(vf1!.find(({ name: register }) => register === 'STATUS')).toMatchObject({ value: '0x00000077' });
  });

  it('refuses another number while some are enabled, with the reason in the log', async () => {
    await expect(enable(1)).rejects.toMatchObject({ code: 'EBUSY' });
    expect((await guest.do.run(['dmesg'])).stdout).toContain('2 VFs are enabled: disable them before enabling 1');
  });

  it('refuses more than there are', async () => {
    await expect(enable(3)).rejects.toMatchObject({ code: 'ERANGE' });
  });

  it('takes the virtual functions away again, from open files too', async () => {
    const name = await pf();
    const fd = await guest.do.open(`/dev/${name}_vf0`, 'r');
    await enable(0);
    expect(await devices()).toEqual(['mock0', 'mock1']);
    await expect(guest.do.ioctl(fd, STATUS, u32(0))).rejects.toMatchObject({ code: 'ENODEV' });
    await guest.do.close(fd);
  });

  it("does the same through the PCI core's attribute", async () => {
    const name = await pf();
    const pci = await guest.do.realpath(`${CLASS}/${name}/device`);
    await guest.do.write(`${pci}/sriov_numvfs`, '1');
    expect(await guest.do.read(`${CLASS}/${name}/sriov_numvfs`)).toBe('1\n');
    expect(await devices()).toContain(`${name}_vf0`);
    expect(await devices()).not.toContain(`${name}_vf1`);
    await guest.do.write(`${pci}/sriov_numvfs`, '0');
  });

  it('unloads with virtual functions enabled', async () => {
    await enable(2);
    expect(await guest.do.run(['rmmod', 'mock-accel'])).toMatchObject({ status: 0 });
    expect(await guest.do.run(['modprobe', 'mock-accel'])).toMatchObject({ status: 0 });
    expect(await devices()).toEqual(['mock0', 'mock1']);
  });

  it('left no warning in the kernel log', async () => {
    const { stdout } = await guest.do.run(['dmesg']);
    expect(stdout).not.toMatch(/BUG|WARNING|Call Trace|Oops|refcount|sysfs: cannot/);
  });
});
