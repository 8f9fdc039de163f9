import { loadArtefacts } from '../artefacts/artefacts.ts';
import type { Finding } from './finding.ts';
import { found } from './found.ts';
import { probeKvm } from './kvm.ts';

export async function checkKvm({ fresh }: { fresh: boolean }): Promise<Finding> {
  const name = 'KVM';
  const artefacts = found(loadArtefacts);
  if ('reason' in artefacts) {
    return { name, result: 'slower', detail: `not probed: ${artefacts.reason}`, mend: 'make setup' };
  }
  const { works, reason, remembered } = await probeKvm(artefacts.value, { fresh });
  const detail = remembered ? `${reason} (remembered; --fresh probes again)` : reason;
  if (works) return { name, result: 'ok', detail };
  return {
    name,
    result: 'slower',
    detail: `${detail}; TCG is used`,
    mend: 'nothing needs it; for speed use bare metal or a host with nested virtualization, and load kvm_intel or kvm_amd',
  };
}
