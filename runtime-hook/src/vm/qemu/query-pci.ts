/** Guest PCI addresses by QEMU device id, from QMP's query-pci once firmware and kernel have numbered the buses. */

interface PciDevice {
  bus: number;
  slot: number;
  function: number;
  qdev_id?: string;
  pci_bridge?: { devices?: PciDevice[] };
}

/** `answer` is what query-pci returned; entries that are not as documented are skipped. */
export function guestAddresses(answer: unknown): Map<string, string> {
  const addresses = new Map<string, string>();
  const visit = (devices: unknown): void => {
    if (!Array.isArray(devices)) return;
    for (const device of devices as PciDevice[]) {
      if (typeof device?.qdev_id === 'string' && device.qdev_id !== '') {
        addresses.set(device.qdev_id, `0000:${hex(device.bus)}:${hex(device.slot)}.${device.function}`);
      }
      visit(device?.pci_bridge?.devices);
    }
  };
  if (Array.isArray(answer)) for (const bus of answer) visit((bus as { devices?: unknown }).devices);
  return addresses;
}

function hex(value: number): string {
  return value.toString(16).padStart(2, '0');
}
