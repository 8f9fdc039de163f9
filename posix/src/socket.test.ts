import { once } from 'node:events';
import { closeSync, readdirSync, readSync, statSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { closeAll } from './descriptors.ts';
import {
  accept,
  MAX_SOCKET_PATH,
  peerCredentials,
  SHUT_RDWR,
  shutdown,
  socketpair,
  unixConnect,
  unixListen,
} from './socket.ts';
import { codeOf, openDescriptors, temporaryDirectory } from './testing.ts';
import { startWorker } from './worker.ts';

const directory = temporaryDirectory();
let open: number[] = [];
const keep = (fd: number) => {
  open.push(fd);
  return fd;
};

afterEach(() => {
  closeAll(open);
  open = [];
});
afterAll(() => directory.remove());

describe('unix sockets', () => {
  it('connect two ends that exchange bytes and know each other', () => {
    const socket = path.join(directory.path, 'a.sock');
    const listener = keep(unixListen(socket));
    const client = keep(unixConnect(socket));
    const server = keep(accept(listener));
    writeSync(client, 'hello');
    const buffer = Buffer.alloc(8);
    expect(readSync(server, buffer)).toBe(5);
    expect(peerCredentials(server)).toEqual({ pid: process.pid, uid: process.getuid!(), gid: process.getgid!() });
  });

  it('appear with the permissions asked for, 0600 by default, whatever the umask', () => {
    const before = process.umask(0o077);
    try {
      keep(unixListen(path.join(directory.path, 'm1')));
      keep(unixListen(path.join(directory.path, 'm2'), { mode: 0o666 }));
      process.umask(0);
      keep(unixListen(path.join(directory.path, 'm3')));
    } finally {
      process.umask(before);
    }
    const modes = ['m1', 'm2', 'm3'].map((name) => statSync(path.join(directory.path, name)).mode & 0o777);
    expect(modes).toEqual([0o600, 0o666, 0o600]);
  });

  it('work on an abstract address', () => {
    const name = `\0posix-test-${process.pid}`;
    const listener = keep(unixListen(name, { nonblock: true }));
    expect(codeOf(() => accept(listener))).toBe('EAGAIN');
    keep(unixConnect(name));
    keep(accept(listener));
  });

  it('accept the longest path there is and refuse one byte more before the kernel sees it', () => {
    const longest = path.join(directory.path, 'x'.repeat(MAX_SOCKET_PATH - directory.path.length - 1));
    keep(unixListen(longest));
    keep(unixConnect(longest));
    expect(() => unixListen(`${longest}y`)).toThrow(/ENAMETOOLONG: a socket path has at most 107 bytes, this one 108/);
  });

  it('leave an existing file alone', () => {
    const file = path.join(directory.path, 'file');
    writeFileSync(file, 'kept');
    expect(codeOf(() => unixListen(file))).toBe('EADDRINUSE');
    expect(statSync(file).size).toBe(4);
  });

  it('leave a socket alone, whether someone listens or not', () => {
    const socket = path.join(directory.path, 'taken');
    const first = unixListen(socket);
    expect(codeOf(() => unixListen(socket))).toBe('EADDRINUSE');
    keep(unixConnect(socket));
    closeSync(first);
    expect(() => unixListen(socket)).toThrow(`bind("${socket}") failed: EADDRINUSE`);
    expect(codeOf(() => unixConnect(socket))).toBe('ECONNREFUSED');
    expect(readdirSync(directory.path).filter((name) => name.startsWith('taken'))).toEqual(['taken']);
  });

  it('are listened to from the moment their file is there', async () => {
    const places = Array.from({ length: 200 }, (_, index) => path.join(directory.path, `early${index}`));
    // Another thread connects to each as soon as it finds it.
    const file = path.join(directory.path, 'connect.worker.ts');
    writeFileSync(path.join(directory.path, 'package.json'), '{"type":"module"}');
    writeFileSync(
      file,
      `import { closeSync } from 'node:fs';
       import { parentPort, workerData } from 'node:worker_threads';
       const { unixConnect } = await import(workerData.module);
       parentPort.postMessage('ready');
       const refused = [];
       for (const place of workerData.places)
         for (let tried = false; !tried; ) {
           try {
             closeSync(unixConnect(place));
             tried = true;
           } catch ({ code }) {
             tried = code !== 'ENOENT';
             if (tried) refused.push(code);
           }
         }
       parentPort.postMessage(refused);`,
    );
    const workerData = { places, module: new URL('./socket.ts', import.meta.url).href };
    const worker = startWorker(pathToFileURL(file), { workerData });
    try {
      expect(await once(worker, 'message')).toEqual(['ready']);
      const answer = once(worker, 'message');
      for (const place of places) keep(unixListen(place));
      expect(await answer).toEqual([[]]);
    } finally {
      await worker.terminate();
    }
  });

  it('leak no descriptor when they fail', () => {
    const before = openDescriptors();
    const nobody = path.join(directory.path, 'nobody');
    expect(codeOf(() => unixConnect(nobody))).toBe('ENOENT');
    expect(codeOf(() => unixConnect(''))).toBe('EINVAL');
    expect(codeOf(() => unixConnect('a\0b'))).toBe('EINVAL');
    expect(codeOf(() => unixListen(path.join(nobody, 'x')))).toBe('ENOENT');
    expect(openDescriptors()).toEqual(before);
  });

  it('end both directions at shutdown', () => {
    const [a, b] = socketpair().map(keep) as [number, number];
    shutdown(a, SHUT_RDWR);
    expect(readSync(b, Buffer.alloc(1))).toBe(0);
    closeSync(a);
    open = open.filter((fd) => fd !== a);
  });
});
