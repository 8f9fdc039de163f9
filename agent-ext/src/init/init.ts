import type { Log } from '../log.ts';
import { interfaceUp } from '../network/interface-flags.ts';
import { enableControllers } from './cgroup.ts';
import { mountSystem } from './mounts.ts';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What the first program of a guest must do before anything else works. Problems are logged; the agent still answers. */
export function initialise(log: Log): void {
  process.env['PATH'] ||= PATH;
  process.chdir('/');
  mountSystem((target, err) => log.warn({ target, err }, 'cannot mount'));
  attempt(log, 'cgroup controllers', () => {
    enableControllers('/sys/fs/cgroup', (controller, err) => log.warn({ controller, err }, 'cannot enable controller'));
  });
  attempt(log, 'loopback', () => interfaceUp('lo'));
}

function attempt(log: Log, what: string, step: () => void): void {
  try {
    step();
  } catch (err) {
    log.warn({ what, err }, 'cannot initialise');
  }
}
