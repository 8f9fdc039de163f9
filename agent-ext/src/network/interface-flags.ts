import { closeSync } from 'node:fs';
import { ioctl, socketpair } from '@kata-mock/posix';

const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const IFF_UP = 1;
const IFNAMSIZ = 16;
const IFREQ_SIZE = 40;

/** Sets an interface up without a helper program. The requests work on a socket of any family. */
export function interfaceUp(name: string): void {
  const request = Buffer.alloc(IFREQ_SIZE);
  request.write(name, 0, IFNAMSIZ - 1);
  const sockets = socketpair();
  try {
    ioctl(sockets[0], SIOCGIFFLAGS, request);
    request.writeUInt16LE(request.readUInt16LE(IFNAMSIZ) | IFF_UP, IFNAMSIZ);
    ioctl(sockets[0], SIOCSIFFLAGS, request);
  } finally {
    for (const fd of sockets) closeSync(fd);
  }
}
