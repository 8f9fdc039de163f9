import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { AgentService, Health, IPFamily } from '@kata-mock/contracts';
import { MNT_DETACH, mount, umount2 } from '@kata-mock/posix';
import { Code, createClient } from 'ttrpc-ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AgentGuest, CARD, SHARED } from '../support/agent-guest.ts';
import { createSandbox, inGuest, readAll, run, sharedRoot, spec } from './containers.ts';
import { inFirstNamespace, onGuestRoot } from './guest-programs.ts';
import { RELAY_PORT, vsockConnection } from './vsock-relay.ts';

/** On a lower slot than the first, so the guest's kernel numbers them the other way round. */
const SECOND_CARD = 'aa:50:56:da:d3:b2';

let guest: AgentGuest;
beforeAll(async () => {
  const card = ['-netdev', 'hubport,id=net1,hubid=0', '-device', `virtio-net-pci,netdev=net1,mac=${SECOND_CARD}`];
  guest = await AgentGuest.boot({ ports: [RELAY_PORT], qemu: card });
  const hook = path.join(guest.share, 'hooks/prestart/mark');
  mkdirSync(path.dirname(hook), { recursive: true });
  writeFileSync(hook, `#!/bin/sh\nbusybox cp /dev/stdin ${BASE}/hooked\n`, { mode: 0o755 });
  writeFileSync(path.join(path.dirname(hook), 'not-executable'), 'exit 1');
  await createSandbox(guest, {
    dns: ['search pod.example', 'nameserver 10.199.0.53'],
    guestHookPath: `${SHARED}/hooks`,
    kernelModules: [{ name: 'vsock_loopback' }, { name: 'loop', parameters: ['max_loop=3'] }],
  });
  sharedRoot(guest);
});
afterAll(() => guest?.stop());

const BASE = '/run/kata-containers';

describe('calls of a shim, with their effect in the guest', () => {
  test('a sandbox has its name, its resolvers, its modules, and its hooks run for each container', async () => {
    const files = [
      '/proc/sys/kernel/hostname',
      '/etc/resolv.conf',
      '/sys/module/loop/parameters/max_loop',
      `${BASE}/hooked`,
    ];
    const { stdout } = await run(guest, 'names', inFirstNamespace(guest, `cat ${files.join(' ')}`));
    const seen = stdout.split('\n');
    expect(seen.slice(0, 4)).toEqual(['pod1', 'search pod.example', 'nameserver 10.199.0.53', '3']);
    // A hook gets the state of its container.
    expect(JSON.parse(seen[4] ?? '')).toMatchObject({ id: 'names', status: 'creating' });
  });

  test('cards that the guest found in another order get their names one by one, and keep them when a request fails', async () => {
    const { agent } = guest;
    const address = (text: string) => ({ family: IPFamily.v4, address: text, mask: '24' });
    const cards = async () => {
      const { Interfaces } = await agent.listInterfaces({});
      return Object.fromEntries(
        Interfaces.map(({ hwAddr, name, IPAddresses }) => [
          hwAddr,
          [name, ...IPAddresses.map((one) => one.address).filter((one) => !one.startsWith('fe80'))].join(' '),
        ]),
      );
    };
    expect(await cards()).toMatchObject({ [CARD]: 'eth1', [SECOND_CARD]: 'eth0' });
    await agent.updateInterface({
      interface: { name: 'eth0', hwAddr: CARD, IPAddresses: [address('10.198.0.2')] },
    });
    await agent.updateInterface({
      interface: { name: 'eth1', hwAddr: SECOND_CARD, IPAddresses: [address('10.197.0.2')] },
    });
    const named = { [CARD]: 'eth0 10.198.0.2', [SECOND_CARD]: 'eth1 10.197.0.2' };
    expect(await cards()).toMatchObject(named);
    // An MTU that the kernel refuses, once the card has the other one's name.
    const refused = agent.updateInterface({ interface: { name: 'eth1', hwAddr: CARD, mtu: 60n } });
    await expect(refused).rejects.toMatchObject({ message: expect.stringMatching(/mtu/i) });
    expect(await cards()).toMatchObject(named);
    const flags = 'cat /sys/class/net/eth[01]/flags';
    expect((await run(guest, 'flags', inFirstNamespace(guest, flags))).stdout).toBe('0x1003\n0x1003\n');
  });

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
    const wanted = expect.objectContaining({ dest: '', gateway: '10.199.0.1', device: 'pod0' });
    expect(Routes).toContainEqual(wanted);
    expect((await agent.listRoutes({})).Routes).toContainEqual(wanted);
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
    // One of the same destination with another metric is another route, and not the wanted one.
    const other = 'ip route add default via 10.199.0.9 dev pod0 metric 50';
    expect(await run(guest, 'route', inFirstNamespace(guest, other))).toMatchObject({ status: 0 });
    const gateways = async () => (await agent.listRoutes({})).Routes.map(({ gateway }) => gateway).filter(Boolean);
    expect(await gateways()).toEqual(['10.199.0.1', '10.199.0.9']);
    await agent.updateRoutes({ routes: { Routes: [{ dest: '', gateway: '10.199.0.1', device: 'pod0' }] } });
    expect(await gateways()).toEqual(['10.199.0.1']);
    const after = await agent.updateRoutes({ routes: { Routes: [] } });
    expect(after.Routes.some(({ gateway }) => gateway !== '')).toBe(false);
  });

  test('iptables: what was set is what is there', async () => {
    const data = Buffer.from('*nat\n-A OUTPUT -p tcp --dport 1 -j REDIRECT --to-ports 2\nCOMMIT\n');
    await guest.agent.setIPTables({ isIpv6: false, data });
    const tables = Buffer.from((await guest.agent.getIPTables({ isIpv6: false })).data).toString();
    expect(tables).toContain('--dport 1 -j REDIRECT --to-ports 2');
  });

  test('iptables of IPv6 are tables of their own', async () => {
    const data = Buffer.from('*filter\n-A INPUT -p tcp --dport 3 -j DROP\nCOMMIT\n');
    await guest.agent.setIPTables({ isIpv6: true, data });
    const tables = async (isIpv6: boolean) => Buffer.from((await guest.agent.getIPTables({ isIpv6 })).data).toString();
    expect(await tables(true)).toContain('--dport 3 -j DROP');
    expect(await tables(false)).not.toContain('--dport 3');
    const nonsense = guest.agent.setIPTables({ isIpv6: false, data: Buffer.from('nonsense\n') });
    await expect(nonsense).rejects.toMatchObject({ message: expect.stringContaining('iptables-restore') });
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
    const hole = guest.agent.copyFile({
      ...file,
      path: `${SHARED}/copied/holes`,
      offset: 4n,
      data: Buffer.from('done'),
    });
    await expect(hole).rejects.toMatchObject({ message: expect.stringContaining('leaves a hole') });
    await guest.agent.copyFile({ ...file, path: `${SHARED}/copied/dir`, fileMode: 0o040711, fileSize: 0n });
    const link = { path: `${SHARED}/copied/dir/link`, fileMode: 0o120777, data: Buffer.from('../file') };
    await guest.agent.copyFile({ ...file, ...link });
    expect(statSync(path.join(guest.share, 'copied/dir')).mode & 0o7777).toBe(0o711);
    expect(readFileSync(path.join(guest.share, 'copied/dir/link'), 'utf8')).toBe('halfdone');
  });

  test('a config map is a copy: a program in the container is told by inotify when the host swaps it', async () => {
    const publish = (version: string) => {
      const map = path.join(guest.share, 'map');
      mkdirSync(path.join(map, `..${version}`), { recursive: true });
      writeFileSync(path.join(map, `..${version}`, 'key'), version);
      symlinkSync(`..${version}`, path.join(map, '..data_tmp'));
      renameSync(path.join(map, '..data_tmp'), path.join(map, '..data'));
      if (version === 'v1') symlinkSync('..data/key', path.join(map, 'key'));
      else rmSync(path.join(map, '..v1'), { recursive: true });
    };
    publish('v1');
    const { agent } = guest;
    const mountPoint = `${SHARED}/watchable/map`;
    const storages = [{ driver: 'watchable-bind', source: `${SHARED}/map`, mountPoint }];
    const program = `const fs = require('fs');
      fs.watch('${mountPoint}', (event, name) => {
        if (name !== '..data') return;
        console.log(fs.readFileSync('${mountPoint}/key', 'utf8'), fs.readdirSync('${mountPoint}').join());
        process.exit(0);
      });
      try { fs.writeFileSync('${mountPoint}/mine', ''); } catch (error) { console.log(error.code); }`;
    const OCI = onGuestRoot(guest, ['/usr/bin/node', '-e', program]);
    await agent.createContainer({ containerId: 'map', execId: 'map', OCI, storages });
    await agent.startContainer({ containerId: 'map' });
    const { data } = await agent.readStdout({ containerId: 'map', len: 100 });
    expect(Buffer.from(data).toString()).toBe('EROFS\n');
    publish('v2');
    expect(await readAll(guest, 'map')).toMatch(/^v2 \.\.data,.*\.\.v2,key\n$/);
    await agent.removeContainer({ containerId: 'map' });
    expect(await inGuest(guest, 'after', `grep -c ${mountPoint} /guest/proc/1/mountinfo`)).toBe('0\n');
  });

  test('a terminal has the longest of ids, its size and its end', async () => {
    const { agent } = guest;
    const containerId = 'a'.repeat(128);
    const OCI = spec(['sh', '-c', 'read x; stty size']);
    const Process = { ...OCI.Process, Terminal: true } as never;
    OCI.Mounts?.push({ destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['newinstance'] });
    await agent.createContainer({ containerId, execId: containerId, OCI: { ...OCI, Process } });
    await agent.ttyWinResize({ containerId, row: 30, column: 100 });
    await agent.startContainer({ containerId });
    await agent.writeStdin({ containerId, data: Buffer.from('\n') });
    expect(await readAll(guest, containerId)).toContain('30 100');
    expect((await agent.waitProcess({ containerId })).status).toBe(0);
    await agent.removeContainer({ containerId });
  });

  test('a directory too large to copy, or a single file, is bound instead', async () => {
    mkdirSync(path.join(guest.share, 'large'));
    for (let count = 0; count < 17; count++) writeFileSync(path.join(guest.share, `large/f${count}`), `${count}`);
    const storages = ['large', 'large/f3'].map((name, index) => ({
      driver: 'watchable-bind',
      source: `${SHARED}/${name}`,
      mountPoint: `${SHARED}/watchable/bound${index}`,
    }));
    const OCI = spec(['sh', '-c', 'ls /m0 | wc -l; cat /m1; grep " /m[01] " /proc/self/mountinfo | grep -c virtiofs']);
    OCI.Mounts = [
      ...(OCI.Mounts ?? []),
      ...storages.map(({ mountPoint }, index) => ({
        destination: `/m${index}`,
        source: mountPoint,
        type: 'bind',
        options: ['rbind'],
      })),
    ];
    expect((await run(guest, 'bound', OCI, { storages })).stdout).toBe('17\n32\n');
  });

  test('a termination message is read from the file that is mounted for it', async () => {
    const { agent } = guest;
    writeFileSync(path.join(guest.share, 'ended'), '');
    const Annotations = { 'io.kubernetes.container.terminationMessagePath': '/dev/termination-log' };
    const OCI = spec(['sh', '-c', 'echo out of ideas >/dev/termination-log'], { Annotations });
    const log = { destination: '/dev/termination-log', source: `${SHARED}/ended`, type: 'bind', options: ['rbind'] };
    OCI.Mounts = [...(OCI.Mounts ?? []), log];
    await agent.createContainer({ containerId: 'ended', execId: 'ended', OCI });
    await agent.startContainer({ containerId: 'ended' });
    await agent.waitProcess({ containerId: 'ended' });
    const ask = (logType: string) => agent.getDiagnosticData({ logType, containerId: 'ended' });
    expect(await ask('termination_log')).toMatchObject({ data: 'out of ideas\n' });
    await expect(ask('core_dump')).rejects.toMatchObject({ code: Code.INVALID_ARGUMENT });
    await agent.removeContainer({ containerId: 'ended' });
    await expect(ask('termination_log')).rejects.toMatchObject({ code: Code.NOT_FOUND });
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
      { driver: 'bind', source: `${SHARED}/root/etc/passwd`, mountPoint: `${base}/w/passwd`, options: ['ro'] },
    ];
    const bind = (source: string, destination: string) => ({ source, destination, type: 'bind', options: ['rbind'] });
    const OCI = spec([
      'sh',
      '-c',
      "stat -c '%a %g' /e; stat -c %a /l; ls -d /o/bin; cut -d: -f1 /w/passwd | head -1; touch /o/new",
    ]);
    OCI.Mounts = [
      ...(OCI.Mounts ?? []),
      bind(`${base}/ephemeral/e`, '/e'),
      bind(`${base}/local/l`, '/l'),
      bind(`${base}/o`, '/o'),
      bind(`${base}/w`, '/w'),
    ];
    const ran = await run(guest, 'storages', OCI, { storages });
    expect(ran.stdout.trim().split('\n')).toEqual(['3777 77', '777', '/o/bin', 'root']);
    expect(ran.stderr).toBe('');
    expect(await inGuest(guest, 'after', `grep -c '${base}/[eow]' /guest/proc/1/mountinfo`)).toBe('0\n');
  });

  test('memory volumes get another size and keep their flags', async () => {
    const { agent } = guest;
    const shm = { driver: 'ephemeral', source: 'shm', fstype: 'tmpfs', mountPoint: `${BASE}/sandbox/shm` };
    const total = async () => (await agent.getVolumeStats({ volumeGuestPath: shm.mountPoint })).usage[0]?.total;
    await agent.updateEphemeralMounts({ storages: [{ ...shm, options: ['remount', 'size=33554432'] }] });
    expect(await total()).toBe(33_554_432n);
    await agent.updateEphemeralMounts({ storages: [{ ...shm, options: ['size=67108864'] }] });
    expect(await total()).toBe(67_108_864n);
    const flags = await inGuest(guest, 'look', `grep ' ${shm.mountPoint} ' /guest/proc/1/mountinfo | cut -d ' ' -f 6`);
    expect(flags).toBe('rw,nosuid,nodev,noexec,relatime\n');
  });

  test('what the host has unmounted and removed is no mount of the guest any more', async () => {
    const { agent } = guest;
    const places = ['gone', 'kept'].map((name) => path.join(guest.share, name));
    const [gone] = places as [string, string];
    for (const place of places) {
      mkdirSync(place);
      mount('none', place, 'tmpfs');
      mkdirSync(path.join(place, 'inside'));
      // The guest learns of a mount of the host's when it walks through.
      await agent.getVolumeStats({ volumeGuestPath: `${SHARED}/${path.basename(place)}/inside` });
    }
    try {
      const mounted = () => inGuest(guest, 'look', `cut -d ' ' -f 5 /guest/proc/1/mountinfo | grep '${SHARED}/'`);
      expect(await mounted()).toBe(`${SHARED}/gone\n${SHARED}/kept\n`);
      umount2(gone, MNT_DETACH);
      rmdirSync(gone);
      expect(await mounted()).toBe(`${SHARED}/gone\n${SHARED}/kept\n`);
      // The guest believes in a name for a second; containers were made meanwhile.
      await agent.removeStaleVirtiofsShareMounts({});
      expect(await mounted()).toBe(`${SHARED}/kept\n`);
    } finally {
      for (const place of places) if (existsSync(place)) umount2(place, MNT_DETACH);
    }
  });

  test('a file server that hangs holds up those who ask it, and nobody else', async () => {
    const { agent, health } = guest;
    guest.hangFiles(true);
    let answered = 0;
    const fresh = { fileSize: 1n, data: Buffer.from('x'), fileMode: 0o100644 };
    const asked = [
      ...['root', 'hooks', 'map', 'large', 'copied'].map((name) =>
        agent.getVolumeStats({ volumeGuestPath: `${SHARED}/${name}` }),
      ),
      agent.copyFile({ ...fresh, path: `${SHARED}/late/file` }),
      agent.removeStaleVirtiofsShareMounts({}),
      agent.createContainer({ containerId: 'late', execId: 'late', OCI: spec(['true']) }),
    ].map((call) =>
      call.finally(() => {
        answered++;
      }),
    );
    try {
      for (let count = 0; count < 5; count++) await health.check({}, { timeoutMs: 10_000 });
      await agent.getVolumeStats({ volumeGuestPath: `${BASE}/sandbox/shm` }, { timeoutMs: 10_000 });
      await agent.copyFile({ ...fresh, path: `${BASE}/elsewhere` }, { timeoutMs: 10_000 });
      expect(answered).toBeLessThan(asked.length);
    } finally {
      guest.hangFiles(false);
    }
    await Promise.all(asked);
    expect(readFileSync(path.join(guest.share, 'late/file'), 'utf8')).toBe('x');
    await agent.removeContainer({ containerId: 'late' });
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
      resources: {
        Memory: { Limit: 16_777_216n, Swap: 16_777_216n },
        CPU: { Quota: 50_000n, Period: 100_000n },
        Pids: { Limit: 7n },
        Devices: [{ Allow: true, Access: 'rwm' }],
      } as never,
    });
    const cgroup = '/guest/sys/fs/cgroup/oom';
    expect(await inGuest(guest, 'look', `cat ${cgroup}/cpu.max ${cgroup}/pids.max`)).toBe('50000 100000\n7\n');
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
    await expect(agent.getVolumeStats({ volumeGuestPath: `${SHARED}/nothing` })).rejects.toMatchObject({
      code: Code.NOT_FOUND,
    });
    // x86 kernels have no such file.
    await expect(agent.memHotplugByProbe({ memHotplugProbeAddr: [1n << 32n] })).rejects.toMatchObject({
      code: Code.UNIMPLEMENTED,
      message: expect.stringContaining('memory/probe'),
    });
    expect((await agent.getGuestDetails({ memHotplugProbe: true })).supportMemHotplugProbe).toBe(false);
    expect((await agent.getGuestDetails({ memBlockSize: true })).memBlockSizeBytes).toBeGreaterThan(0n);
    await agent.reseedRandomDev({ data: Buffer.alloc(512, 7) });
    // With a deadline: the call must not be late by the clock it sets.
    await agent.setGuestDateTime({ Sec: 2_000_000_000n, Usec: 0n }, { timeoutMs: 60_000 });
    expect(Number(await inGuest(guest, 'clock', 'date +%s'))).toBeGreaterThanOrEqual(2_000_000_000);
  });
});

describe('over vsock, as a shim reaches a guest', () => {
  test('a container is run with its input and output, while Check is answered on the same connection', async () => {
    const connection = await vsockConnection(guest, 1024);
    const [agent, health] = [createClient(AgentService, connection), createClient(Health, connection)];
    await health.check({}, { timeoutMs: 60_000 });
    const { agentDetails } = await agent.getGuestDetails({});
    expect(agentDetails).toEqual((await guest.agent.getGuestDetails({})).agentDetails);
    await agent.createContainer({ containerId: 'vs', execId: 'vs', OCI: spec(['sh', '-c', 'wc -c; exit 5']) });
    await agent.startContainer({ containerId: 'vs' });
    const ended = agent.waitProcess({ containerId: 'vs', execId: 'vs' });
    const piece = Buffer.alloc(256 * 1024, 'x');
    for (let count = 0; count < 4; count++) {
      expect((await agent.writeStdin({ containerId: 'vs', data: piece })).len).toBe(piece.length);
      await health.check({}, { timeoutMs: 10_000 });
    }
    await agent.closeStdin({ containerId: 'vs' });
    expect(await readAll({ agent }, 'vs')).toBe('1048576\n');
    expect((await ended).status).toBe(5);
    await agent.removeContainer({ containerId: 'vs' });
    await connection.close();
    await guest.agent.removeContainer({ containerId: 'relay' });
  });
});
