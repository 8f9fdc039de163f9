import { spawn } from 'node:child_process';
import path from 'node:path';
import type { VmState } from '../state/vm-state.ts';
import type { HookCall } from '../wrapper/call.ts';

export interface Guard {
  /** Tells it that the device host ends in order. */
  done(): void;
}

/**
 * Starts the process that cleans up after this one (wrapper/kata-mock-guard). It must come before privileges go: it
 * keeps the right to remove files and to end QEMU, and never sees a byte of the guest.
 */
export function startGuard(call: HookCall, directory: string, state: VmState, lease: string): Guard {
  const program = path.resolve(call.bundle, call.wrapperDirectory, 'kata-mock-guard');
  const runDirectory = path.dirname(path.dirname(directory));
  const leases = state.leases.flatMap((address) => [path.join(runDirectory, 'leases', address), lease]);
  const { onDeviceLoss, qemu, deviceHost } = state;
  const args = [onDeviceLoss, String(qemu.pid), qemu.startTime, directory, JSON.stringify(deviceHost), ...leases];
  const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true, cwd: '/' });
  child.on('error', () => {});
  child.stdin?.on('error', () => {});
  child.unref();
  return { done: () => child.stdin?.end('done\n') };
}
