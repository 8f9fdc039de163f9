import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { codeOf } from './testing.ts';
import { CLD_EXITED, P_PID, pidfdOpen, pidfdSendSignal, WEXITED, WNOHANG, WNOWAIT, waitid } from './wait.ts';
import { FdWatcher } from './watcher.ts';

describe('waitid', () => {
  it('looks at a child without taking it from Node', async () => {
    const child = spawn('sh', ['-c', 'exit 7']);
    const exited = once(child, 'exit');
    const status = waitid(P_PID, child.pid!, WEXITED | WNOWAIT);
    expect(status).toEqual({ pid: child.pid, code: CLD_EXITED, status: 7 });
    expect(await exited).toEqual([7, null]);
  });

  it('says undefined while the child runs and ECHILD for a stranger', async () => {
    const child = spawn('cat');
    expect(waitid(P_PID, child.pid!, WEXITED | WNOHANG | WNOWAIT)).toBeUndefined();
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(() => waitid(P_PID, 1, WEXITED | WNOHANG)).toThrow('waitid(1, 1, 5) failed: ECHILD: no child processes');
  });
});

describe('pidfd', () => {
  it('signals a process and becomes readable at its end', async () => {
    const child = spawn('cat');
    const pidfd = pidfdOpen(child.pid!);
    const ended = new Promise<void>((resolve) => {
      const watcher = new FdWatcher(pidfd, {
        readable: () => {
          watcher.close();
          resolve();
        },
      });
      watcher.watch({ readable: true });
    });
    const exited = once(child, 'exit');
    pidfdSendSignal(pidfd, 15);
    await ended;
    expect(await exited).toEqual([null, 'SIGTERM']);
    expect(codeOf(() => pidfdSendSignal(pidfd, 0))).toBe('ESRCH');
    closeSync(pidfd);
  });
});
