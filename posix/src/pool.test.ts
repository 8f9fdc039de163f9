import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdirSync, openSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RESOLVE_NO_SYMLINKS } from './openat2.ts';
import { ioctlAsync, mountAsync, openat2Async, umount2Async } from './pool.ts';
import { inPrivateMounts, temporaryDirectory } from './testing.ts';

const directory = temporaryDirectory();
let root: number;
beforeAll(() => {
  mkdirSync(path.join(directory.path, 'root'));
  writeFileSync(path.join(directory.path, 'root/file'), '12345');
  symlinkSync('file', path.join(directory.path, 'root/link'));
  root = openSync(path.join(directory.path, 'root'), 'r');
});
afterAll(() => {
  closeSync(root);
  directory.remove();
});

const FIONREAD = 0x541b;

describe('a call on a thread of the pool', () => {
  it('answers what its namesake would', async () => {
    const fd = await openat2Async(root, 'file', { flags: constants.O_RDONLY });
    expect(readlinkSync(`/proc/self/fd/${fd}`)).toBe(`${directory.path}/root/file`);
    const count = Buffer.alloc(4);
    expect(await ioctlAsync(fd, FIONREAD, count)).toBe(0);
    expect(count.readUInt32LE()).toBe(5);
    closeSync(fd);
  });

  it('waits its turn when hundreds are asked for at once', async () => {
    const fds = await Promise.all(Array.from({ length: 600 }, () => openat2Async(root, 'file')));
    expect(new Set(fds).size).toBe(600);
    for (const fd of fds) closeSync(fd);
  });

  it('fails with the errno of its own thread and a message that quotes it', async () => {
    await expect(openat2Async(root, 'link', { resolve: RESOLVE_NO_SYMLINKS })).rejects.toMatchObject({
      code: 'ELOOP',
      message: expect.stringContaining('openat2('),
    });
    const [mounted, unmounted, controlled] = await Promise.allSettled([
      mountAsync('none', directory.path, 'no such type'),
      umount2Async(`${directory.path}/nothing`),
      ioctlAsync(root, 0x7fff, Buffer.alloc(4)),
    ]);
    expect(mounted).toMatchObject({ reason: { code: expect.stringMatching(/ENODEV|EPERM/) } });
    expect(unmounted).toMatchObject({ reason: { code: expect.stringMatching(/ENOENT|EPERM/) } });
    expect(controlled).toMatchObject({ reason: { code: 'ENOTTY' } });
    await expect(mountAsync('none', 'a\0b', 'tmpfs')).rejects.toMatchObject({ code: 'EINVAL' });
  });

  it('leaves this thread alone while it waits: for a reader of a pipe here', async () => {
    const fifo = path.join(directory.path, 'root/fifo');
    execFileSync('mkfifo', [fifo]);
    const opening = openat2Async(root, 'fifo', { flags: constants.O_WRONLY });
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    closeSync(await opening);
    closeSync(reader);
  });

  it('mounts and unmounts', (context) => {
    const seen = inPrivateMounts(
      context,
      `import { mountAsync, mountinfo, umount2Async } from '@kata-mock/posix';
       const mounted = () => mountinfo().some(({ mountPoint, fstype }) => mountPoint === '/mnt' && fstype === 'ramfs');
       await mountAsync('none', '/mnt', 'ramfs', 0, 'mode=700');
       const before = mounted();
       await umount2Async('/mnt');
       console.log(before, mounted());`,
    );
    expect(seen).toBe('true false\n');
  });
});
