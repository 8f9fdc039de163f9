import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runcBundle } from '../support/bundle.ts';
import type { Running } from '../support/command.ts';
import { bothDevices, type Inspection } from '../support/devices.ts';
import { output, testHost } from '../support/host.ts';
import { containerRoot } from '../support/rootfs.ts';

const scope = testHost();
let rootfs: ReturnType<typeof containerRoot>;
let bundle: ReturnType<typeof runcBundle>;
let running: Running;

beforeAll(async () => {
  rootfs = containerRoot({ withIoctl: true });
  bundle = runcBundle(rootfs.path, (spec) => {
    spec.process!.terminal = false;
    spec.process!.args = ['sh', '-c', 'echo up; trap "exit 0" TERM; while :; do sleep 1 & wait; done'];
    spec.linux!.devices = [{ path: '/dev/mock0', type: 'c', major: 1, minor: 3 }];
    // So that attributes can be written from inside: containers usually get sysfs read-only.
    for (const mount of spec.mounts!) if (mount.type === 'sysfs') mount.options = ['nosuid', 'noexec', 'nodev', 'rw'];
  });
  running = scope.host.start(['run', '--name', 'calls', '--bundle', bundle.path, ...bothDevices]);
  await running.until('"up" from the container', () => running.stdout.includes('up\n'));
});
afterAll(async () => {
  running?.kill('SIGTERM');
  await running?.ended;
  bundle?.remove();
  rootfs?.remove();
});

const sh = async (script: string) => output(await scope.host.run(['exec', 'calls', '--', 'sh', '-c', script])).trim();
const call = (text: string) => sh(`mock-ioctl /dev/mock0 ${text} || true`);
const status = async (index: number) => {
  const { devices } = await scope.host.json<Inspection>(['inspect', 'calls']);
  const register = devices[index]!.registers.find(({ name }) => name === 'STATUS');
  return Number(register?.value);
};

describe('a passphrase', () => {
  it.each([
    [0, 6],
    [1, 1],
    [4, 4],
    [12, 12],
  ])('by ioctl of %i words has %i, joined by hyphens, from the word list', async (asked, words) => {
    const [count, text] = (await call(`passphrase ${asked}`)).split(' ') as [string, string];
    expect(Number(count)).toBe(words);
    // A few words of the list have a hyphen of their own.
    expect(text.split('-').length).toBeGreaterThanOrEqual(words);
    expect(text).toMatch(/^[a-z-]+$/);
  });

  it('by ioctl differs each time', async () => {
    expect(await call('passphrase 12')).not.toBe(await call('passphrase 12'));
  });

  it('by ioctl of 13 words is refused, and so are unknown calls and bad pointers', async () => {
    expect(await call('passphrase 13')).toBe('EINVAL');
    expect(await call('unknown')).toBe('ENOTTY');
    expect(await call('bad-pointer')).toBe('EFAULT');
  });

  it('by sysfs is made by the device in the length asked for', async () => {
    const text = await sh(`
      cd /sys/class/mock-accel/*/ && cat passphrase_status
      echo 5 > passphrase_length && echo 1 > passphrase_generate
      cat passphrase_status passphrase_count passphrase
      { echo 13 > passphrase_length; } 2>&1; cat passphrase_length
    `).catch((error: Error) => error.message);
    const lines = text.split('\n');
    expect(lines.slice(0, 3)).toEqual(['idle', 'ready', '5']);
    expect(lines[3]!.split(' ')).toHaveLength(5);
    expect(text).toContain('Invalid argument');
    expect(lines.at(-1)).toBe('5');
  });
});

describe('the status', () => {
  it('set by ioctl in a container shows in inspect and in the container, for this device alone', async () => {
    expect(await status(0)).toBe(1);
    await call('set-status 0x00c0ffee');
    expect(await call('status')).toBe('0x00c0ffee');
    expect(await status(0)).toBe(0x00c0ffee);
    expect(await status(1)).toBe(1);
    expect(await sh('grep Status /dev/mock0')).toBe('Status: 0x00c0ffee');
  });
});
