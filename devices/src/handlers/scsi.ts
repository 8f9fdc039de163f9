import { DeviceError } from '../errors.ts';
import { handlerFor } from './handler.ts';
import { scsiDisk } from './scsi-disk.ts';

/** A disk of the virtio SCSI controller, by `SCSIID:LUN`. Hosts do not scan by themselves in Kata's guests. */
export const scsi = handlerFor(['scsi'], ({ guest }, device) => {
  const match = /^(\d{1,3}):(\d{1,5})$/.exec(device.id);
  if (!match) throw new DeviceError('INVALID_REQUEST', `invalid SCSI address "${device.id}": expected SCSIID:LUN`);
  const [target, lun] = [Number(match[1]), Number(match[2])];
  const guestSteps = scsiDisk(guest.sysfs, target, lun) ? [] : [{ kind: 'scan-scsi' as const, target, lun }];
  return { guestSteps, node: { kind: 'scsi-disk', target, lun }, addresses: [] };
});
