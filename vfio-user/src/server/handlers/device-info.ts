import { DeviceFlag, decodeDeviceInfo, encodeDeviceInfo, PCI_IRQS, PCI_REGIONS } from '../../protocol/index.ts';
import type { Handler } from './handler.ts';

export const deviceInfo: Handler = (session, frame) => {
  decodeDeviceInfo(frame);
  const flags = DeviceFlag.RESET | DeviceFlag.PCI;
  return session.put(encodeDeviceInfo({ flags, regions: PCI_REGIONS, irqs: PCI_IRQS }));
};
