import { DeviceError } from './errors.ts';

/** PCI addresses of one container's devices: the host's to the guest's, both in canonical text. */
export class AddressMap implements Iterable<[host: string, guest: string]> {
  readonly #guestByHost = new Map<string, string>();

  constructor(entries: Iterable<readonly [string, string]> = []) {
    for (const [host, guest] of entries) this.add(host, guest);
  }

  get size(): number {
    return this.#guestByHost.size;
  }

  /** Adds a pair; the same pair twice is fine, another guest address for the same host address is a conflict. */
  add(host: string, guest: string): void {
    const known = this.#guestByHost.get(host);
    if (known !== undefined && known !== guest) {
      const message = `Conflicting guest address for host device ${host} (${known} versus ${guest})`;
      throw new DeviceError('CONFLICT', message);
    }
    this.#guestByHost.set(host, guest);
  }

  get(host: string): string | undefined {
    return this.#guestByHost.get(host);
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.#guestByHost.entries();
  }
}
