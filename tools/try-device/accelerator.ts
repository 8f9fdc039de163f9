import { loadArtefacts } from '../../runtime-hook/src/artefacts/artefacts.ts';
import { chooseAccelerator as choose } from '../../runtime-hook/src/check/accelerator.ts';
import { patiently } from './say.ts';

export const accelerators = ['auto', 'kvm', 'tcg'] as const;
export type Accelerator = (typeof accelerators)[number];

/** Like `kata-mock run`: KVM only where a kernel has booted with it. */
export function chooseAccelerator(asked: Accelerator): Promise<'kvm' | 'tcg'> {
  const chosen = choose(asked, loadArtefacts());
  return patiently('finding out whether KVM works here: up to 10 s, once a boot of this host', chosen);
}
