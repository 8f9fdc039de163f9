import { readFileSync } from 'node:fs';
import path from 'node:path';
import { IPFamily } from '@kata-mock/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AgentGuest, CARD, SHARED } from '../support/agent-guest.ts';
import { createSandbox, inGuest, readAll, run, sharedRoot, spec } from './containers.ts';

let guest: AgentGuest;
beforeAll(async () => {
  guest = await AgentGuest.boot();
  await createSandbox(guest);
  sharedRoot(guest);
});
afterAll(() => guest?.stop());

describe('calls of a shim, with their effect in the guest', () => {
  test('network: name, address and MTU of a card by its hardware address; routes; neighbours', async () => {
    const { agent } = guest;
    const address = { family: IPFamily.v4, address: '10.199.0.4', mask: '24' };
    const reply = await agent.updateInterface({
      interface: { device: 'eth0', name: 'pod0', hwAddr: CARD, mtu: 1400n, IPAddresses: [address] },
    });
    expect(reply).toMatchObject({ name: 'pod0', mtu: 1400n, hwAddr: CARD });
    const { Routes } = await agent.updateRoutes({
      routes: { Routes: [{ dest: '', gateway: '10.199.0.1', device: 'pod0' }] },
    });
    expect(Routes).toContainEqual(expect.objectContaining({ dest: '', gateway: '10.199.0.1', device: 'pod0' }));
    await agent.addARPNeighbors({
      neighbors: {
        ARPNeighbors: [
          { toIPAddress: { address: '10.199.0.1' }, device: 'pod0', lladdr: '02:00:00:00:00:01', state: 0x80 },
        ],
      },
    });
    expect(await inGuest(guest, 'net', 'cat /proc/net/arp')).toContain('02:00:00:00:00:01');
    const { Interfaces } = await agent.listInterfaces({});
    expect(Interfaces.find(({ name }) => name === 'pod0')?.IPAddresses).toContainEqual(
      expect.objectContaining({ address: '10.199.0.4', mask: '24' }),
    );
    const after = await agent.updateRoutes({ routes: { Routes: [] } });
    expect(after.Routes.some(({ gateway }) => gateway !== '')).toBe(false);
  });

  test('iptables: what was set is what is there', async () => {
    const data = Buffer.from('*nat\n-A OUTPUT -p tcp --dport 1 -j REDIRECT --to-ports 2\nCOMMIT\n');
    await guest.agent.setIPTables({ isIpv6: false, data });
    const tables = Buffer.from((await guest.agent.getIPTables({ isIpv6: false })).data).toString();
    expect(tables).toContain('--dport 1 -j REDIRECT --to-ports 2');
  });

  test('a file comes in pieces and appears when it is whole, with its mode and owner', async () => {
    const file = { path: `${SHARED}/copied/file`, fileSize: 8n, fileMode: 0o100644, dirMode: 0o755, uid: 12, gid: 34 };
    await guest.agent.copyFile({ ...file, offset: 0n, data: Buffer.from('half') });
    const look = `stat -c '%a %u %g' ${SHARED}/copied/file; cat ${SHARED}/copied/file`;
    const seen = () => inGuest(guest, 'copy', look.replaceAll(SHARED, `/guest${SHARED}`));
    expect(await seen()).toBe('');
    await guest.agent.copyFile({ ...file, offset: 4n, data: Buffer.from('done') });
    expect(await seen()).toBe('644 12 34\nhalfdone');
    expect(readFileSync(path.join(guest.share, 'copied/file'), 'utf8')).toBe('halfdone');
  });

  test('storages: tmpfs, a directory with a mode, an overlay and a bind, gone with the container', async () => {
    const base = '/run/kata-containers/sandbox';
    const storages = [
      {
        driver: 'ephemeral',
        source: 'tmpfs',
        fstype: 'tmpfs',
        mountPoint: `${base}/ephemeral/e`,
        options: ['size=1m', 'fsgid=77'],
      },
      { driver: 'local', fstype: 'local', mountPoint: `${base}/local/l`, options: ['mode=0777'] },
      {
        driver: 'overlayfs',
        fstype: 'overlay',
        mountPoint: `${base}/o`,
        options: [`lowerdir=${SHARED}/root`, `upperdir=${base}/up`, `workdir=${base}/work`],
      },
      { driver: 'watchable-bind', source: `${SHARED}/root/etc`, mountPoint: `${base}/w` },
    ];
    const bind = (source: string, destination: string) => ({ source, destination, type: 'bind', options: ['rbind'] });
    const OCI = spec(['sh', '-c', "stat -c '%a %g' /e; stat -c %a /l; ls -d /o/bin; ls /w | head -1; touch /o/new"]);
    OCI.Mounts = [
      ...(OCI.Mounts ?? []),
      bind(`${base}/ephemeral/e`, '/e'),
      bind(`${base}/local/l`, '/l'),
      bind(`${base}/o`, '/o'),
      bind(`${base}/w`, '/w'),
    ];
    const ran = await run(guest, 'storages', OCI, { storages });
    expect(ran.stdout.split('\n').slice(0, 3)).toEqual(['3777 77', '777', '/o/bin']);
    expect(ran.stderr).toBe('');
    expect(await inGuest(guest, 'after', `grep -c '${base}/[eow]' /guest/proc/1/mountinfo`)).toBe('0\n');
  });

  test('limits are set, changed and counted; the memory limit tells of its kill', async () => {
    const { agent } = guest;
    const limits = { Memory: { Limit: 33_554_432n, Swap: 33_554_432n }, Pids: { Limit: 50n } };
    const OCI = spec(['sh', '-c', 'read x; x=x; while :; do x=$x$x; done'], { Linux: { Resources: limits } as never });
    await agent.createContainer({ containerId: 'oom', execId: 'oom', OCI });
    await agent.startContainer({ containerId: 'oom' });
    const { cgroupStats } = await agent.statsContainer({ containerId: 'oom' });
    expect(cgroupStats?.memoryStats?.usage?.limit).toBe(33_554_432n);
    expect(cgroupStats?.pidsStats).toMatchObject({ current: 1n, limit: 50n });
    expect(cgroupStats?.cpuStats?.cpuUsage?.totalUsage).toBeGreaterThan(0n);
    await agent.updateContainer({
      containerId: 'oom',
      resources: { Memory: { Limit: 16_777_216n, Swap: 16_777_216n } },
    });
    expect((await agent.statsContainer({ containerId: 'oom' })).cgroupStats?.memoryStats?.usage?.limit).toBe(
      16_777_216n,
    );
    const killed = agent.getOOMEvent({});
    await agent.closeStdin({ containerId: 'oom', execId: 'oom' });
    expect((await killed).containerId).toBe('oom');
    expect((await agent.waitProcess({ containerId: 'oom' })).status).toBe(137);
    await agent.removeContainer({ containerId: 'oom' });
  });

  test('a paused container stands still until it is resumed', async () => {
    const { agent } = guest;
    await agent.createContainer({
      containerId: 'still',
      execId: 'still',
      OCI: spec(['sh', '-c', 'read x; echo moved']),
    });
    await agent.startContainer({ containerId: 'still' });
    await agent.pauseContainer({ containerId: 'still' });
    await agent.closeStdin({ containerId: 'still', execId: 'still' });
    expect(await inGuest(guest, 'look', 'cat /guest/sys/fs/cgroup/still/cgroup.freeze')).toBe('1\n');
    await agent.resumeContainer({ containerId: 'still' });
    expect(await readAll(guest, 'still')).toBe('moved\n');
    await agent.removeContainer({ containerId: 'still' });
  });

  test('containers of a pod share IPC, host name and, when asked, pids with the pause container', async () => {
    const { agent } = guest;
    const Annotations = { 'io.katacontainers.pkg.oci.container_type': 'pod_sandbox' };
    await agent.createContainer({
      containerId: 'pause',
      execId: 'pause',
      OCI: spec(['sleep', '1000'], { Annotations }),
    });
    await agent.startContainer({ containerId: 'pause' });
    const look =
      'readlink /proc/self/ns/ipc; readlink /proc/self/ns/uts; readlink /proc/self/ns/pid; ps | grep -c "sleep 100[0]"';
    const shared = await run(guest, 'shared', spec(['sh', '-c', look]), { sandboxPidns: true });
    const own = await run(guest, 'own', spec(['sh', '-c', look]));
    const [first, second] = [shared.stdout.trim().split('\n'), own.stdout.trim().split('\n')];
    expect(second.slice(0, 2)).toEqual(first.slice(0, 2));
    expect(second[2]).not.toBe(first[2]);
    expect([first[3], second[3]]).toEqual(['1', '0']);
    await agent.removeContainer({ containerId: 'pause' });
  });

  test('metrics, volume statistics, memory blocks, random bytes, the clock', async () => {
    const { agent } = guest;
    expect((await agent.getMetrics({})).metrics).toMatch(/^kata_agent_total_rss \d+$/m);
    const { usage } = await agent.getVolumeStats({ volumeGuestPath: '/run/kata-containers/sandbox/shm' });
    expect(usage[0]).toMatchObject({ total: 67_108_864n });
    expect((await agent.getGuestDetails({ memBlockSize: true })).memBlockSizeBytes).toBeGreaterThan(0n);
    await agent.reseedRandomDev({ data: Buffer.alloc(512, 7) });
    await agent.setGuestDateTime({ Sec: 2_000_000_000n, Usec: 0n });
    expect(Number(await inGuest(guest, 'clock', 'date +%s'))).toBeGreaterThanOrEqual(2_000_000_000);
  });
});
