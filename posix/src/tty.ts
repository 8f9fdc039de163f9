import { closeSync } from 'node:fs';
import { ioctl } from './descriptors.ts';
import { bind, check } from './libc.ts';

const O_RDWR = 2;
const O_NOCTTY = 0o400;
const O_CLOEXEC = 0o2000000;
const TIOCSWINSZ = 0x5414;
const TIOCGWINSZ = 0x5413;
const TIOCGPTN = 0x80045430;

const openptFunction = bind('posix_openpt', ['int']);
const grantptFunction = bind('grantpt', ['int']);
const unlockptFunction = bind('unlockpt', ['int']);

/** A new terminal: the master's descriptor and the path of the slave, below /dev/pts. */
export function openPty(): { master: number; slavePath: string } {
  const master = check('posix_openpt', openptFunction, [O_RDWR | O_NOCTTY | O_CLOEXEC]);
  try {
    check('grantpt', grantptFunction, [master]);
    check('unlockpt', unlockptFunction, [master]);
    const number = Buffer.alloc(4);
    ioctl(master, TIOCGPTN, number);
    return { master, slavePath: `/dev/pts/${number.readUInt32LE()}` };
  } catch (error) {
    closeSync(master);
    throw error;
  }
}

/** Tells the terminal its size in characters; its foreground process group gets SIGWINCH when that changes. */
export function setWinsize(fd: number, rows: number, columns: number): void {
  const size = Buffer.alloc(8);
  size.writeUInt16LE(rows, 0);
  size.writeUInt16LE(columns, 2);
  ioctl(fd, TIOCSWINSZ, size);
}

export function getWinsize(fd: number): { rows: number; columns: number } {
  const size = Buffer.alloc(8);
  ioctl(fd, TIOCGWINSZ, size);
  return { rows: size.readUInt16LE(0), columns: size.readUInt16LE(2) };
}
