/** Programs of this package as processes of their own, for tests. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

// The loader, not tsx's command: that is a process of its own, which a second signal ends and a SIGKILL of it leaves behind.
const tsx = import.meta.resolve('tsx');
const program = fileURLToPath(new URL('./mock-accel-server.ts', import.meta.url));
const running: ChildProcess[] = [];

export function startServer<T extends ChildProcess>(args: readonly string[], options: SpawnOptions): T {
  const child = spawn(process.execPath, ['--import', tsx, '--conditions=@kata-mock/source', program, ...args], options);
  running.push(child);
  return child as T;
}

/** Ends what a test started, whatever became of it. */
export function killServers(): void {
  for (const child of running.splice(0)) child.kill('SIGKILL');
}
