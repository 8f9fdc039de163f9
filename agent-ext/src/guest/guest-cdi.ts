import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Inventory } from '@kata-mock/contracts';
import { findMockDevices, type Guest, guestCdiSpec, type MockDevice } from '@kata-mock/devices';
import { type CdiSpec, writeSpec } from 'cdi-spec';

const NAME = 'kata-mock.json';

/** Keeps the guest's CDI spec of the mock devices true while devices come and go. */
export class GuestCdi {
  readonly #directory: string;
  readonly #guest: Guest;
  readonly #inventory: Inventory | undefined;
  readonly #unsubscribe: () => void;
  #written: string | undefined;
  /** The devices in what was written, told apart by what a container gets of them. */
  #known: string | undefined;

  /** @param onError told when the file cannot be written; the next event tries again */
  constructor(guest: Guest, inventory: Inventory | undefined, directory: string, onError: (error: unknown) => void) {
    this.#guest = guest;
    this.#inventory = inventory;
    this.#directory = directory;
    const refresh = () => {
      try {
        this.refresh();
      } catch (error) {
        onError(error);
      }
    };
    this.#unsubscribe = guest.onUevent((event) => {
      if (event.devpath.includes('/mock-accel/') || event.action === 'lost') refresh();
    });
    refresh();
  }

  /** Writes the file when it would differ from what was written last; takes it away with the last device. */
  refresh(): void {
    const devices = findMockDevices(this.#guest.sysfs, this.#inventory);
    const spec = guestCdiSpec(devices);
    const text = JSON.stringify(spec);
    if (text !== this.#written) this.#write(spec);
    this.#written = text;
    this.#known = keyOf(devices);
  }

  /**
   * For who has just seen the devices and is about to resolve names: refreshes when the file is of other ones, because
   * an event was lost or is still on its way.
   */
  ensure(devices: readonly MockDevice[]): void {
    if (keyOf(devices) !== this.#known) this.refresh();
  }

  #write(spec: CdiSpec | undefined): void {
    mkdirSync(this.#directory, { recursive: true });
    if (spec) writeSpec(this.#directory, NAME, spec);
    else rmSync(path.join(this.#directory, NAME), { force: true });
  }

  close(): void {
    this.#unsubscribe();
  }
}

function keyOf(devices: readonly MockDevice[]): string {
  return devices.map(({ uuid, classDevpath, node }) => `${uuid} ${classDevpath} ${node.major}:${node.minor}`).join();
}
