import { readFileSync } from 'node:fs';
import { type Inventory, inventoryFwCfgName, parseInventory } from '@kata-mock/contracts';
import { isMissing } from '@kata-mock/pci';

/** Where module qemu_fw_cfg shows what the host plugged. */
export const INVENTORY_FILE = `/sys/firmware/qemu_fw_cfg/by_name/${inventoryFwCfgName}/raw`;

/** What the host says it plugged, or undefined under a VMM that says nothing. @throws InventoryError when it is broken */
export function readInventory(file = INVENTORY_FILE): Inventory | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  return parseInventory(bytes);
}
