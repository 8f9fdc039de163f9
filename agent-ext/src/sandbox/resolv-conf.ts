import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { MNT_DETACH, MS_BIND, mount, UMOUNT_NOFOLLOW, umount2 } from '@kata-mock/posix';
import type { AgentPaths } from '../agent.ts';
import { AgentError } from '../errors.ts';

/** Puts the pod's resolver lines in place. The root image is read-only, so a file of the sandbox is bound over it. Returns how to undo that. */
export function writeResolvConf(paths: AgentPaths, lines: readonly string[]): () => void {
  const bad = lines.find((line) => line.includes('\0') || line.includes('\n'));
  if (bad !== undefined) throw new AgentError('INVALID_ARGUMENT', `invalid resolver line ${JSON.stringify(bad)}`);
  const file = path.join(paths.state, 'resolv.conf');
  writeFileSync(file, `${lines.filter((line) => line !== '').join('\n')}\n`);
  mount(file, paths.resolvConf, 'bind', MS_BIND);
  return () => umount2(paths.resolvConf, MNT_DETACH | UMOUNT_NOFOLLOW);
}
