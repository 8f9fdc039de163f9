import { loadQemu } from '../artefacts/artefacts.ts';
import { ask } from './ask.ts';
import type { Finding } from './finding.ts';
import { found } from './found.ts';

const device = 'vfio-user-pci';

/** QEMU must run and have the device; 10.1 is the first release that does. */
export async function checkQemu(): Promise<Finding> {
  const name = 'QEMU';
  const qemu = found(loadQemu);
  if ('reason' in qemu) return { name, result: 'missing', detail: qemu.reason, mend: 'make setup' };
  const { path, source } = qemu.value;
  const mend = 'make setup builds a private one from trixie-backports';
  const [version, devices] = await Promise.all([ask(path, ['--version']), ask(path, ['-device', 'help'])]);
  if ('reason' in version) return { name, result: 'missing', detail: version.reason, mend };
  const number = /version (\S+)/.exec(version.text)?.[1] ?? 'unknown version';
  if ('reason' in devices || !devices.text.includes(`"${device}"`)) {
    return { name, result: 'missing', detail: `${path} (${number}) has no ${device}`, mend };
  }
  return { name, result: 'ok', detail: `${number} (${source}) with ${device}: ${path}` };
}
