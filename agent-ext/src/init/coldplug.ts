import path from 'node:path';
import { readAttribute, readEntriesIfAny } from '@kata-mock/pci';
import type { LiveGuest } from '../guest/live-guest.ts';
import type { Log } from '../log.ts';
import { loadModules } from './modules.ts';
import type { Reaper } from './reaper.ts';

/** Buses whose devices a guest image may have drivers for as modules. */
const BUSES = ['pci', 'virtio', 'scsi'];

/** Module aliases of the devices that are there. The image has no udev, so nobody else loads their drivers. */
export function presentAliases(sysfs: string): string[] {
  const aliases = BUSES.flatMap((bus) => {
    const devices = path.join(sysfs, 'bus', bus, 'devices');
    return readEntriesIfAny(devices).map(({ name }) => readAttribute(path.join(devices, name), 'modalias'));
  });
  return [...new Set(aliases.filter((alias) => alias !== undefined && alias !== ''))] as string[];
}

/** Loads the driver of every device that is plugged later. */
export function loadOnPlug(guest: LiveGuest, reaper: Reaper, log: Log): () => void {
  return guest.onUevent(({ action, env }) => {
    const alias = env['MODALIAS'];
    if (action === 'add' && alias && BUSES.includes(env['SUBSYSTEM'] ?? '')) void loadModules(reaper, log, [alias]);
  });
}
