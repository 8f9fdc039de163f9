import { EventEmitter } from 'node:events';
import { closeSync } from 'node:fs';
import { setNonblocking } from './descriptors.ts';
import { word } from './errors.ts';
import { bind, check, checkRestarting } from './libc.ts';
import { bindFunction, socketFunction } from './socket.ts';
import { FdWatcher } from './watcher.ts';

const AF_NETLINK = 16;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_KOBJECT_UEVENT = 15;
const KERNEL_GROUP = 1;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SO_RCVBUF = 8;
const SOCKADDR_NL_SIZE = 12;
/** The kernel builds one in 2 KiB (UEVENT_BUFFER_SIZE). */
const MAX_UEVENT = 8192;
/** Room for the burst that a coldplug of many devices is. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;

const setsockoptFunction = bind('setsockopt', ['int', 'int', 'int', 'pointer', 'uint']);
const recvfromFunction = bind('recvfrom', ['int', 'pointer', 'size_t', 'int', 'pointer', 'pointer'], 'long');

/** What the kernel tells about a device: `devpath` is below /sys, `env` has SUBSYSTEM, DEVNAME, SEQNUM and so on. */
export interface Uevent {
  action: string;
  devpath: string;
  env: Record<string, string>;
}

/** A non-blocking netlink socket that gets the kernel's uevents of its network namespace. */
export function ueventSocket(): number {
  const type = SOCK_DGRAM | SOCK_CLOEXEC;
  const fd = check(
    'socket',
    socketFunction,
    [AF_NETLINK, type, NETLINK_KOBJECT_UEVENT],
    [word('AF_NETLINK'), word('uevent')],
  );
  try {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(RECEIVE_BUFFER);
    if (setsockoptFunction(fd, SOL_SOCKET, SO_RCVBUFFORCE, size, 4) === -1) {
      check('setsockopt', setsockoptFunction, [fd, SOL_SOCKET, SO_RCVBUF, size, 4]);
    }
    const address = Buffer.alloc(SOCKADDR_NL_SIZE);
    address.writeUInt16LE(AF_NETLINK, 0);
    address.writeUInt32LE(KERNEL_GROUP, 8);
    check('bind', bindFunction, [fd, address, address.byteLength], [word('netlink uevent group 1')]);
    setNonblocking(fd, true);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Reads a message `<action>@<devpath>` and its `KEY=value` strings, each ended by a NUL; undefined for anything else. */
export function parseUevent(bytes: Uint8Array): Uevent | undefined {
  const [head, ...pairs] = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8').split('\0');
  // udev's own messages start with "libudev" and binary data; the kernel's with a word and a path.
  const match = /^([a-z]+)@(\/.*)$/s.exec(head ?? '');
  if (!match) return undefined;
  const env: Record<string, string> = Object.create(null);
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    if (equals > 0) env[pair.slice(0, equals)] = pair.slice(equals + 1);
  }
  return { action: match[1]!, devpath: match[2]!, env };
}

/**
 * The kernel's uevents as they come: event `uevent` with a {@link Uevent}; `lost` when more came than the socket
 * holds, so that the listener looks at sysfs again; `error`. Messages that another process sent are dropped.
 */
export class UeventMonitor extends EventEmitter<{ uevent: [Uevent]; lost: []; error: [Error] }> {
  readonly #fd: number;
  readonly #watcher: FdWatcher;
  readonly #buffer = Buffer.alloc(MAX_UEVENT);
  readonly #sender = Buffer.alloc(SOCKADDR_NL_SIZE);
  readonly #senderLength = Buffer.alloc(4);

  constructor(fd: number = ueventSocket()) {
    super();
    this.#fd = fd;
    this.#watcher = new FdWatcher(fd, { readable: () => this.#drain() });
    this.#watcher.watch({ readable: true });
  }

  close(): void {
    if (this.#watcher.closed) return;
    this.#watcher.close();
    closeSync(this.#fd);
  }

  #drain(): void {
    while (!this.#watcher.closed) {
      try {
        const uevent = this.#receive();
        if (uevent) this.emit('uevent', uevent);
      } catch (error) {
        const { code } = error as { code?: string };
        if (code === 'EAGAIN') return;
        if (code === 'ENOBUFS') {
          this.emit('lost');
          continue;
        }
        this.close();
        this.emit('error', error as Error);
      }
    }
  }

  #receive(): Uevent | undefined {
    this.#senderLength.writeUInt32LE(SOCKADDR_NL_SIZE);
    const args = [this.#fd, this.#buffer, MAX_UEVENT, 0, this.#sender, this.#senderLength];
    const bytes = checkRestarting('recvfrom', recvfromFunction, args, [this.#fd]);
    const senderPort = this.#sender.readUInt32LE(4);
    return senderPort === 0 ? parseUevent(this.#buffer.subarray(0, bytes)) : undefined;
  }
}
