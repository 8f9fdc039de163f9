import type { Writable } from 'node:stream';
import { followProcess, type ProcessCalls } from '../../agent-client/process-io.ts';
import { passSignals } from './signals.ts';
import { attachTerminal } from './terminal.ts';

export interface AttachOptions {
  interactive: boolean;
  tty: boolean;
  /** Seconds, see passSignals. */
  stopTimeout: number;
  stdout?: Writable;
  stderr?: Writable;
  /** Runs once signals go to the process. */
  onAttached?: () => void;
}

/** Joins our streams, terminal and signals to a process in the guest until it ends; answers its exit code. */
export async function attach(calls: ProcessCalls, options: AttachOptions): Promise<number> {
  const signals = passSignals(calls, { stopTimeout: options.stopTimeout });
  const terminal = options.tty ? attachTerminal(calls) : undefined;
  options.onAttached?.();
  try {
    return await followProcess(calls, {
      ...(options.interactive && { stdin: process.stdin }),
      stdout: options.stdout ?? process.stdout,
      stderr: options.stderr ?? process.stderr,
      terminal: options.tty,
    });
  } finally {
    terminal?.detach();
    signals.stop();
  }
}
