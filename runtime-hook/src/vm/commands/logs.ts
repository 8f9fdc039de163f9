import { closeSync, existsSync, openSync, readSync, watch } from 'node:fs';
import path from 'node:path';
import { KataMockError } from '../../errors.ts';
import { isAlive } from '../process/identity.ts';
import { findAnySandbox } from '../sandbox/find.ts';
import { checkName, type SandboxPaths } from '../sandbox/paths.ts';
import { runDirectory } from '../sandbox/run-directory.ts';
import type { SandboxState } from '../sandbox/state.ts';

export type LogSource = 'container' | 'console' | 'qemu' | 'virtiofsd' | 'devices' | 'run';

export interface LogsOptions {
  source: LogSource;
  container?: string;
  follow: boolean;
}

const recheckMs = 500;

/** `kata-mock logs`: copies a log to stdout, with --follow until the sandbox ends. */
export async function logs(sandbox: string, options: LogsOptions): Promise<void> {
  const { paths, state } = findAnySandbox(runDirectory(), sandbox);
  const file = logFile(paths, state, options);
  if (!existsSync(file)) {
    throw new KataMockError('NOT_FOUND', `sandbox "${sandbox}" has no log of ${options.container ?? options.source}`, {
      hint: 'a container that was started with --sandbox writes to the command that started it',
    });
  }
  const fd = openSync(file, 'r');
  try {
    copyNew(fd);
    if (options.follow) await follow(fd, file, () => state !== undefined && isAlive(state.owner));
  } finally {
    closeSync(fd);
  }
}

function logFile(paths: SandboxPaths, state: SandboxState | undefined, { source, container }: LogsOptions): string {
  if (source === 'devices') return path.join(state?.vmDirectory ?? paths.logs, 'host.log');
  const leaf = source === 'container' ? checkName(container ?? paths.name, 'container name') : source;
  return path.join(paths.logs, source === 'container' ? `container-${leaf}.log` : `${leaf}.log`);
}

/** The position is the descriptor's own, so each call goes on where the last one ended. */
function copyNew(fd: number): void {
  const buffer = Buffer.alloc(64 * 1024);
  for (let bytes = readSync(fd, buffer); bytes > 0; bytes = readSync(fd, buffer)) {
    process.stdout.write(Buffer.from(buffer.subarray(0, bytes)));
  }
}

function follow(fd: number, file: string, running: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(file, () => copyNew(fd));
    const timer = setInterval(() => {
      copyNew(fd);
      if (running()) return;
      clearInterval(timer);
      watcher.close();
      resolve();
    }, recheckMs);
  });
}
