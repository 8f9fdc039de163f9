import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Inventory, InventoryError, inventoryFwCfgName, parseInventory } from '@kata-mock/contracts';
import { DeviceError, defaultSettings } from '@kata-mock/devices';
import { type Explanation, explainRequest, RootGuest, readRequest } from '@kata-mock/devices/explain';
import { KataMockError } from '../../errors.ts';

export interface ExplainFiles {
  /** Path, or `-` for standard input. */
  readonly request: string;
  readonly root: string;
  readonly inventory?: string;
  readonly warnUntranslated: boolean;
}

/** Plans a request on a directory. Nothing is waited for: what is not there is missing. */
export async function explainFiles({ request, root, inventory, warnUntranslated }: ExplainFiles): Promise<Explanation> {
  if (!existsSync(path.join(root, 'sys'))) {
    throw new KataMockError('USAGE', `"${root}" has no sys directory`, {
      hint: 'build one with @kata-mock/pci/testing, or copy one with "kata-mock sysfs snapshot"',
    });
  }
  const guest = new RootGuest(root);
  const settings = {
    ...defaultSettings,
    hotplugTimeoutMs: 0,
    cdiTimeoutMs: 0,
    untranslated: warnUntranslated ? ('warn' as const) : ('error' as const),
  };
  const context = {
    guest,
    inventory: readInventory(root, inventory),
    settings,
    cdiDirectory: path.join(root, 'var/run/cdi'),
  };
  return explainRequest(context, parse(request));
}

function parse(file: string) {
  try {
    return readRequest(readFileSync(file === '-' ? 0 : file, 'utf8'));
  } catch (error) {
    throw usage(`cannot read the request "${file}"`, error);
  }
}

function readInventory(root: string, file: string | undefined): Inventory | undefined {
  const found = file ?? path.join(root, 'sys/firmware/qemu_fw_cfg/by_name', inventoryFwCfgName, 'raw');
  if (file === undefined && !existsSync(found)) return undefined;
  try {
    return parseInventory(readFileSync(found));
  } catch (error) {
    throw usage(`cannot read the inventory "${found}"`, error);
  }
}

function usage(what: string, error: unknown): unknown {
  const isExpected =
    error instanceof DeviceError || error instanceof InventoryError || (error as NodeJS.ErrnoException).syscall;
  return isExpected ? new KataMockError('USAGE', `${what}: ${(error as Error).message}`) : error;
}
