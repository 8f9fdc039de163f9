import { closeSync, existsSync, statSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { unixConnect } from '@kata-mock/posix';
import { expect, test } from 'vitest';
import { openDescriptors, temporaryDirectory } from '../testing.ts';
import { ListeningSocket } from './listening-socket.ts';

test('a socket removes its own file, and leaves that of who listens there meanwhile', () => {
  const before = openDescriptors();
  const directory = temporaryDirectory();
  try {
    const file = path.join(directory.path, 'd.sock');
    const first = new ListeningSocket(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    unlinkSync(file);
    const second = new ListeningSocket(file);
    first.close();
    closeSync(unixConnect(file));
    second.close();
    expect(existsSync(file)).toBe(false);
    const third = new ListeningSocket(file);
    unlinkSync(file);
    third.close();
  } finally {
    directory.remove();
  }
  expect(openDescriptors()).toEqual(before);
});
