import { checkArtefacts } from './artefacts.ts';
import type { Finding } from './finding.ts';
import { checkKvm } from './kvm-finding.ts';
import { checkMemory } from './memory.ts';
import { checkPrivileges } from './privileges.ts';
import { checkPrograms } from './programs.ts';
import { checkQemu } from './qemu.ts';
import { checkVirtiofsd } from './virtiofsd.ts';
import { checkVsock } from './vsock.ts';

export type { Finding } from './finding.ts';

/** In the order of the table. */
const checks = [
  checkPrivileges,
  checkPrograms,
  checkArtefacts,
  checkQemu,
  checkVirtiofsd,
  checkKvm,
  checkVsock,
  checkMemory,
];

/** Every check, whatever the others say. */
export function checkHost(options: { fresh: boolean }): Promise<Finding[]> {
  return Promise.all(checks.map((check) => check(options)));
}
