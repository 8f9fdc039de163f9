import type { Artefacts } from '../artefacts/artefacts.ts';
import { KataMockError } from '../errors.ts';
import { probeKvm } from './kvm.ts';

/** `auto` takes KVM where a probe has shown that it boots a kernel, else TCG. */
export async function chooseAccelerator(asked: 'auto' | 'kvm' | 'tcg', artefacts: Artefacts): Promise<'kvm' | 'tcg'> {
  if (asked === 'tcg') return 'tcg';
  const probe = await probeKvm(artefacts);
  if (probe.works) return 'kvm';
  if (asked === 'auto') return 'tcg';
  throw new KataMockError('HOST', `--accel kvm: ${probe.reason}`, { hint: 'use --accel tcg, which needs nothing' });
}
