import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bothDevices } from '../support/devices.ts';
import { testHost } from '../support/host.ts';
import { leftovers, processesOf } from '../support/leftovers.ts';

const scope = testHost();

describe('a hostile annotation', () => {
  it.each([
    ['300 devices', '300', /300/],
    ['300 devices, one by one', Array.from({ length: 300 }, () => 'mock-accel').join(';'), /300/],
    ['a count beyond all bounds', 'mock-accel,count=9007199254740991', /9007199254740991/],
    ['1 TiB of memory', 'mock-accel,memory=1T,count=1', /1T|1099511627776/],
    ['the path of a file that is there', 'mock-accel,path=/etc/passwd', /\/etc\/passwd/],
    ['a path that leads out', 'mock-accel,path=/dev/mock0/../../etc/passwd', /\.\./],
    ['a path beside the allowed ones', 'mock-accel,path=/dev/sda', /\/dev\/sda/],
    ['an unknown model', 'evil-accel', /evil-accel/],
    ['an unknown key', 'mock-accel,firmware=/etc/shadow', /firmware/],
    ['nonsense', '[{"model": 1e999}]', /./],
  ])('with %s is refused by name, and nothing is allocated', async (_, value, named) => {
    const refused = await scope.host.run(['run', '--annotation', `io.kata-mock/devices=${value}`, '--', 'true']);
    expect([1, 2]).toContain(refused.status);
    expect(refused.stdout).toBe('');
    expect(refused.stderr).toMatch(named);
    expect(refused.stderr).not.toMatch(/^\s+at .*\(/m);
    expect(leftovers(scope.host.runDir)).toEqual([]);
    expect(refused.ms).toBeLessThan(15_000);
  });
});

const pipesAndSockets = (pid: number) =>
  readdirSync(`/proc/${pid}/fd`)
    .map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
    .filter((target) => /^(pipe|socket):/.test(target));

describe('the device host', () => {
  it('has no capability, cannot gain any, is no longer root, and holds no pipe or socket of the VM’s starter', async () => {
    const sandbox = await scope.host.sandbox('rights', bothDevices);
    const hosts = processesOf(scope.host.runDir).filter(({ command }) => /hook\/main\.js/.test(command));
    expect(hosts).toHaveLength(1);
    const { pid } = hosts[0]!;
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (name: string) => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)?.[1];
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'])
      expect([set, field(set)]).toEqual([set, '0000000000000000']);
    expect(field('NoNewPrivs')).toBe('1');
    for (const id of field('Uid')!.split(/\s+/)) expect(Number(id)).toBeGreaterThan(0);
    for (const id of field('Gid')!.split(/\s+/)) expect(Number(id)).toBeGreaterThan(0);
    expect(pipesAndSockets(pid).filter((each) => pipesAndSockets(sandbox.running.pid).includes(each))).toEqual([]);
    const session = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[3];
    expect(Number(session)).toBe(pid);
    await sandbox.stop();
  });
});
