import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sendmsg, unixConnect } from '@kata-mock/posix';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConsoleSocket } from './console-socket.ts';

let base: string;
beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), 'console-'));
});
afterEach(() => rmSync(base, { recursive: true }));

/** As runc does it: the name of the terminal, and its master. */
function hand(socketPath: string): void {
  const connection = unixConnect(socketPath);
  const sent = openSync('/dev/null', 'r');
  sendmsg(connection, Buffer.from('/dev/pts/0'), { fds: [sent] });
  closeSync(sent);
  closeSync(connection);
}

describe('a console socket', () => {
  test.each([1, 64, 128])('takes a master in the bundle of a container with an id of %i characters', (length) => {
    const bundle = path.join(base, 'a-long-place'.repeat(6), 'a'.repeat(length));
    mkdirSync(bundle, { recursive: true });
    const socket = new ConsoleSocket(bundle);
    expect(statSync(path.join(bundle, readdirSync(bundle)[0] ?? '')).mode & 0o777).toBe(0o600);
    hand(socket.path);
    const master = socket.receive();
    socket.close();
    expect(statSync(`/proc/self/fd/${master}`).isCharacterDevice()).toBe(true);
    closeSync(master);
    expect(readdirSync(bundle)).toEqual([]);
  });
});
