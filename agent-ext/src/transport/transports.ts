import type { Server } from 'ttrpc-ts';
import type { LiveGuest } from '../guest/live-guest.ts';
import type { Log } from '../log.ts';
import { findVirtioPort, VirtioPort } from './virtio-port.ts';

/** All the ways by which a host reaches the agent; whatever exists in this machine is served. */
export class Transports {
  readonly #server: Server;
  readonly #log: Log;
  readonly #open: string[] = [];
  #port: VirtioPort | undefined;
  #stopLooking: () => void = () => {};

  constructor(server: Server, log: Log) {
    this.#server = server;
    this.#log = log;
  }

  /** Addresses and ports that are served. */
  get open(): readonly string[] {
    return this.#open;
  }

  /** Serves the virtio-serial port of this name, now or when the kernel tells of it. */
  servePort(name: string, guest: LiveGuest): void {
    if (name === '') return;
    const attempt = () => {
      const file = this.#port ? undefined : findVirtioPort(name);
      if (file === undefined) return;
      this.#port = new VirtioPort(file, this.#server, this.#log);
      this.#open.push(`port ${name}`);
      this.#stopLooking();
    };
    this.#stopLooking = guest.onUevent((event) => {
      if (event.devpath.includes('/virtio-ports/')) attempt();
    });
    attempt();
  }

  /** Listens on ttrpc addresses. Returns those that cannot be had, as without a vsock device, and why. */
  async listen(addresses: readonly string[]): Promise<{ address: string; error: unknown }[]> {
    const failed: { address: string; error: unknown }[] = [];
    for (const address of addresses) {
      try {
        await this.#server.listen(address);
        this.#open.push(address);
      } catch (error) {
        failed.push({ address, error });
      }
    }
    return failed;
  }

  close(): void {
    this.#stopLooking();
    this.#port?.close();
  }
}
