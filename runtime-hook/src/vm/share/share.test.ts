import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { mountinfo } from '@kata-mock/posix';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Share } from './share.ts';

const root = process.getuid?.() === 0;
if (!root) console.log('share: mounts need root, its tests are left out');

describe.runIf(root)('Share', () => {
  let dir: string;
  let rootfs: string;
  let share: Share;

  beforeEach(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'kata-mock-share-'));
    rootfs = path.join(dir, 'user,tree:1');
    mkdirSync(path.join(rootfs, 'etc'), { recursive: true });
    writeFileSync(path.join(rootfs, 'etc/motd'), 'hello');
    share = await Share.create(path.join(dir, 'share'), 1 << 20);
  });
  afterEach(async () => {
    await share.close();
    rmSync(dir, { recursive: true });
  });

  /** Runs a shell command in the share's namespace, as virtiofsd would see it. */
  async function inside(command: string): Promise<string> {
    const out = path.join(dir, 'out');
    const fd = openSync(out, 'w');
    const ended = new Promise<number | null>((resolve) => share.once('ended', (_, end) => resolve(end.code)));
    await share.call('spawn', { command: '/bin/sh', args: ['-c', command], fd, logFd: fd });
    const code = await ended;
    closeSync(fd);
    return `${readFileSync(out, 'utf8')}${code === 0 ? '' : `exit ${code}`}`;
  }

  it('shows the host no mount', async () => {
    await share.call('addRootfs', { containerId: 'c1', source: rootfs, mode: 'overlay' });
    expect(mountinfo().filter((mount) => mount.mountPoint.startsWith(dir))).toEqual([]);
    expect(readdirSync(path.join(dir, 'share'))).toEqual([]);
  });

  it('keeps what a container writes out of the tree it was given', async () => {
    await share.call('addRootfs', { containerId: 'c1', source: rootfs, mode: 'overlay' });
    const at = path.join(dir, 'share/shared/c1/rootfs');
    expect(await inside(`cat ${at}/etc/motd; echo changed >${at}/etc/motd; mkdir ${at}/proc; cat ${at}/etc/motd`)).toBe(
      'hellochanged\n',
    );
    expect(readFileSync(path.join(rootfs, 'etc/motd'), 'utf8')).toBe('hello');
    expect(readdirSync(rootfs)).toEqual(['etc']);
  });

  it('writes through in bind mode, without set-uid programs or device nodes', async () => {
    await share.call('addRootfs', { containerId: 'c1', source: rootfs, mode: 'bind' });
    const at = path.join(dir, 'share/shared/c1/rootfs');
    expect(
      await inside(`echo changed >${at}/etc/motd; grep -c 'shared/c1/rootfs .*nosuid,nodev' /proc/self/mountinfo`),
    ).toBe('1\n');
    expect(readFileSync(path.join(rootfs, 'etc/motd'), 'utf8')).toBe('changed\n');
  });

  it('lets nobody write beside the containers in what virtiofsd serves', async () => {
    expect(await inside(`ln -s /etc ${dir}/share/shared/c2 2>&1`)).toMatch(/Read-only file system/);
  });

  it('takes a container away again and leaves its tree alone', async () => {
    await share.call('addRootfs', { containerId: 'c1', source: rootfs, mode: 'bind' });
    await share.call('addBind', {
      containerId: 'c1',
      name: 'c1-0f-motd',
      source: path.join(rootfs, 'etc/motd'),
      readonly: true,
      recursive: false,
    });
    expect(await inside(`cat ${dir}/share/shared/c1-0f-motd; echo x >${dir}/share/shared/c1-0f-motd`)).toMatch(
      /^hello.*exit 2/s,
    );
    await share.call('remove', { containerId: 'c1' });
    expect(await inside(`ls ${dir}/share/shared`)).toBe('');
    expect(execFileSync('find', [rootfs, '-type', 'f'], { encoding: 'utf8' })).toBe(`${rootfs}/etc/motd\n`);
  });

  it('starts afresh when a name comes again', async () => {
    const at = path.join(dir, 'share/shared/c1/rootfs');
    for (let round = 0; round < 2; round++) {
      await share.call('addRootfs', { containerId: 'c1', source: rootfs, mode: 'overlay' });
      expect(await inside(`cat ${at}/etc/motd; echo changed >${at}/etc/motd; mkdir ${at}/made`)).toBe('hello');
      await share.call('remove', { containerId: 'c1' });
    }
    expect(await inside(`ls ${path.join(dir, 'share/writes')}`)).toBe('');
  });

  it('names the reason when a root cannot be mounted', async () => {
    await expect(share.call('addRootfs', { containerId: 'c1', source: `${dir}/none`, mode: 'bind' })).rejects.toThrow(
      'ENOENT',
    );
  });
});
