import path from 'node:path';
import { linkName } from '../function.ts';
import {
  type ClassDevice,
  classDevicesOf,
  eventEnv,
  removeClassDevice,
  type TreeRoots,
  writeClassDevice,
} from './class-devices.ts';
import type { FakeUevent, UeventListener } from './fake-tree.ts';
import { bindDriver, ownDriver, type PlacedFunction, unbindDriver } from './function-files.ts';
import { isGroupInUse, VFIO_DRIVER, vfioCdev, vfioGroup, writeVfioContainer } from './vfio.ts';

/**
 * What drivers do to a tree: a function's own makes the class devices of its description, vfio-pci the group and, where
 * the kernel has them, the character device. What a driver made goes when it is unbound.
 */
export class Drivers {
  readonly #roots: TreeRoots;
  readonly #tell: UeventListener;

  constructor(roots: TreeRoots, tell: UeventListener) {
    this.#roots = roots;
    this.#tell = tell;
  }

  bind(placed: PlacedFunction, driver: string): void {
    const { sysfs, dev } = this.#roots;
    bindDriver(sysfs, placed, driver);
    if (driver === VFIO_DRIVER) writeVfioContainer(dev);
    const made = driver === VFIO_DRIVER ? this.#vfioDevices(placed) : this.#ownDevices(placed, driver);
    for (const device of made) {
      const isThere = linkName(path.join(sysfs, 'class', device.subsystem), device.name) !== undefined;
      if (isThere) continue;
      writeClassDevice(this.#roots, device);
      this.#tell(classEvent('add', device));
    }
    this.#tell(driverEvent('bind', placed, driver));
  }

  /** Whether it had a driver. */
  unbind(placed: PlacedFunction): boolean {
    const { sysfs } = this.#roots;
    const driver = linkName(sysfs + placed.devpath, 'driver');
    if (driver === undefined) return false;
    const made = driver === VFIO_DRIVER ? this.#vfioDevices(placed) : this.#ownDevices(placed, driver);
    unbindDriver(sysfs, placed, driver);
    for (const device of made.reverse()) {
      if (device.subsystem === 'vfio' && isGroupInUse(sysfs, device.name)) continue;
      removeClassDevice(this.#roots, device);
      this.#tell(classEvent('remove', device));
    }
    this.#tell(driverEvent('unbind', placed, driver));
    return true;
  }

  #ownDevices({ devpath, description }: PlacedFunction, driver: string): ClassDevice[] {
    return driver === ownDriver(description) ? classDevicesOf(devpath, description) : [];
  }

  #vfioDevices(placed: PlacedFunction): ClassDevice[] {
    const devices = [vfioGroup(this.#roots.sysfs, placed), vfioCdev(placed)];
    return devices.filter((device) => device !== undefined);
  }
}

function classEvent(action: string, device: ClassDevice): FakeUevent {
  const { devpath, subsystem } = device;
  return { action, devpath, env: { ACTION: action, DEVPATH: devpath, SUBSYSTEM: subsystem, ...eventEnv(device) } };
}

function driverEvent(action: string, { address, devpath }: PlacedFunction, driver: string): FakeUevent {
  const env = { ACTION: action, DEVPATH: devpath, SUBSYSTEM: 'pci', DRIVER: driver, PCI_SLOT_NAME: address };
  return { action, devpath, env };
}
