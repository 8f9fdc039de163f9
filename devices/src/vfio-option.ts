import { type DeviceTreePath, formatAddress, PciError, parseAddress, parseDeviceTreePath } from '@kata-mock/pci';
import { DeviceError } from './errors.ts';

/** One option of a VFIO-like Device message: `0000:65:00.0=02/01`. */
export interface VfioOption {
  /** Host address in canonical text. */
  readonly host: string;
  /** Device tree path as given, and undefined when the shim could not tell it. */
  readonly path: string | undefined;
}

/** Reads `hostBDF=deviceTreePath`. @throws DeviceError INVALID_REQUEST */
export function parseVfioOption(option: string): VfioOption {
  const parts = option.split('=');
  if (parts.length !== 2) {
    throw new DeviceError('INVALID_REQUEST', `Malformed VFIO PCI option "${option}": expected HOST-ADDRESS=PCI-PATH`);
  }
  const [host, path] = parts as [string, string];
  try {
    if (path !== '') parseDeviceTreePath(path) satisfies DeviceTreePath;
    return { host: formatAddress(parseAddress(host)), path: path === '' ? undefined : path };
  } catch (error) {
    if (!(error instanceof PciError)) throw error;
    throw new DeviceError('INVALID_REQUEST', `Malformed VFIO PCI option "${option}": ${error.message}`, {
      cause: error,
    });
  }
}
