import { realpathSync } from 'node:fs';
import path from 'node:path';
import { readNamesIfAny } from '@kata-mock/pci';

/** Names of the SCSI hosts: `host0`, ... */
export function scsiHosts(sysfs: string): string[] {
  return readNamesIfAny(path.join(sysfs, 'class/scsi_host'));
}

/** Name of the block device of one disk (`sda`), on whichever host has it. */
export function scsiDisk(sysfs: string, target: number, lun: number): string | undefined {
  for (const host of scsiHosts(sysfs)) {
    // class/scsi_host/hostN leads to <...>/hostN/scsi_host/hostN; the targets are below the first hostN.
    const hostDir = path.resolve(realpathSync(path.join(sysfs, 'class/scsi_host', host)), '../..');
    const number = host.slice('host'.length);
    const block = path.join(hostDir, `target${number}:0:${target}`, `${number}:0:${target}:${lun}`, 'block');
    const disk = readNamesIfAny(block)[0];
    if (disk !== undefined) return disk;
  }
  return undefined;
}
