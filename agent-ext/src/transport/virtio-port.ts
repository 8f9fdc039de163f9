import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isMissing, readEntriesIfAny } from '@kata-mock/pci';
import { FdDuplex, POLLHUP, poll } from '@kata-mock/posix';
import type { Server } from 'ttrpc-ts';
import type { Log } from '../log.ts';

/** How often to look whether the host has opened its end: poll tells of its closing, never of its opening. */
const LOOK_AGAIN_MS = 50;

/**
 * Serves ttrpc on a virtio-serial port: one connection at a time, for hosts without vsock. When the host closes its end
 * the connection ends; when it opens it again, a new one begins. The port itself stays open, since the VMM tells its
 * user of every opening.
 */
export class VirtioPort {
  readonly #fd: number;
  readonly #server: Server;
  readonly #log: Log;
  #stream: FdDuplex | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(file: string, server: Server, log: Log) {
    this.#fd = openSync(file, constants.O_RDWR | constants.O_NONBLOCK);
    this.#server = server;
    this.#log = log;
    this.#serveWhenOpen();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#stream?.destroy();
    closeSync(this.#fd);
  }

  #serveWhenOpen(): void {
    if (this.#closed) return;
    const [events = 0] = poll([{ fd: this.#fd, events: 0 }], 0);
    if ((events & POLLHUP) !== 0) {
      this.#timer = setTimeout(() => this.#serveWhenOpen(), LOOK_AGAIN_MS);
      return;
    }
    const stream = new FdDuplex(this.#fd, { keepOpen: true });
    this.#stream = stream;
    stream.once('close', () => {
      this.#log.debug('host closed its end of the agent port');
      this.#timer = setTimeout(() => this.#serveWhenOpen(), LOOK_AGAIN_MS);
    });
    this.#server.serve(stream);
  }
}

/** Device file of the port with this name; without udev there is no /dev/virtio-ports to look in. */
export function findVirtioPort(name: string, sysfs = '/sys'): string | undefined {
  const ports = path.join(sysfs, 'class/virtio-ports');
  for (const entry of readEntriesIfAny(ports)) {
    try {
      if (readFileSync(path.join(ports, entry.name, 'name'), 'utf8').trim() === name) return `/dev/${entry.name}`;
    } catch (error) {
      // The console ports have no name.
      if (!isMissing(error)) throw error;
    }
  }
  return undefined;
}
