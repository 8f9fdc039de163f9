import { readFileSync } from 'node:fs';

/** Makes generated UUIDs differ between hosts; a host without an id is told apart by its name. */
export function machineId(): string {
  for (const file of ['/etc/machine-id', '/proc/sys/kernel/hostname']) {
    try {
      const text = readFileSync(file, 'utf8').trim();
      if (text !== '') return text;
    } catch {
      // The next one.
    }
  }
  return '';
}
