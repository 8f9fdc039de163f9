import type { Finding } from './finding.ts';

/** Mounts of the share and the device host's change of user need root. */
export async function checkPrivileges(): Promise<Finding> {
  const uid = process.getuid?.();
  if (uid === 0) return { name: 'privileges', result: 'ok', detail: 'running as root' };
  return { name: 'privileges', result: 'missing', detail: `running as user ${uid}`, mend: 'run it with sudo' };
}
