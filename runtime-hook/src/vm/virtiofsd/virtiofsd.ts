import { closeSync, openSync } from 'node:fs';
import { unixListen } from '@kata-mock/posix';
import { diesWithParent } from '../process/pdeathsig.ts';
import { servedDirectory } from '../share/mounts.ts';
import type { ProcessEnd, Share } from '../share/share.ts';

export interface Virtiofsd {
  pid: number;
  ended: Promise<ProcessEnd>;
}

export interface VirtiofsdOptions {
  program: string;
  /** vhost-user socket QEMU connects to. */
  socket: string;
  /** The share's directory. */
  share: string;
  log: string;
}

/** The file server behind virtio-fs, in the share's mount namespace. It ends when QEMU leaves, or we do. */
export async function startVirtiofsd(share: Share, options: VirtiofsdOptions): Promise<Virtiofsd> {
  // We listen and it inherits, as with Kata: QEMU may connect at once, there is nothing to wait for.
  const listener = unixListen(options.socket);
  const log = openSync(options.log, 'a', 0o600);
  try {
    const { command, args } = diesWithParent(options.program, virtiofsdArguments(options.share));
    const ends = new Map<number, ProcessEnd>();
    const onEnd = (pid: number, end: ProcessEnd) => ends.set(pid, end);
    share.on('ended', onEnd);
    const { pid } = await share.call('spawn', { command, args, fd: listener, logFd: log });
    share.off('ended', onEnd);
    const ended = new Promise<ProcessEnd>((resolve) => {
      const end = ends.get(pid);
      if (end) resolve(end);
      share.on('ended', (which, how) => {
        if (which === pid) resolve(how);
      });
    });
    return { pid, ended };
  } finally {
    closeSync(listener);
    closeSync(log);
  }
}

/** Kata's arguments; the sandbox is virtiofsd's own (namespaces and pivot_root into the shared directory). */
export function virtiofsdArguments(share: string): string[] {
  return [
    '--fd=3',
    `--shared-dir=${servedDirectory(share)}`,
    '--cache=auto',
    '--announce-submounts',
    '--sandbox=namespace',
    '--log-level=warn',
  ];
}
