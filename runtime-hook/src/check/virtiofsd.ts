import { loadArtefacts } from '../artefacts/artefacts.ts';
import { ask } from './ask.ts';
import type { Finding } from './finding.ts';

export async function checkVirtiofsd(): Promise<Finding> {
  const name = 'virtiofsd';
  const mend = 'make setup (it comes with the private QEMU)';
  let path: string;
  try {
    path = loadArtefacts().virtiofsd.path;
  } catch {
    return { name, result: 'missing', detail: 'not set up', mend };
  }
  const version = await ask(path, ['--version']);
  if ('reason' in version) return { name, result: 'missing', detail: version.reason, mend };
  return { name, result: 'ok', detail: `${version.text.trim()}: ${path}` };
}
