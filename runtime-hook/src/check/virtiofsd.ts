import { loadVirtiofsd } from '../artefacts/artefacts.ts';
import { ask } from './ask.ts';
import type { Finding } from './finding.ts';
import { found } from './found.ts';

export async function checkVirtiofsd(): Promise<Finding> {
  const name = 'virtiofsd';
  const mend = 'make setup (it comes with the private QEMU)';
  const virtiofsd = found(loadVirtiofsd);
  if ('reason' in virtiofsd) return { name, result: 'missing', detail: virtiofsd.reason, mend };
  const { path } = virtiofsd.value;
  const version = await ask(path, ['--version']);
  if ('reason' in version) return { name, result: 'missing', detail: version.reason, mend };
  return { name, result: 'ok', detail: `${version.text.trim()}: ${path}` };
}
