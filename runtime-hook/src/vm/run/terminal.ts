import type { ReadStream, WriteStream } from 'node:tty';
import type { ProcessCalls } from '../../agent-client/process-io.ts';

/** Our terminal while it belongs to a process in the guest. */
export interface Terminal {
  stdin: Pick<ReadStream, 'isTTY' | 'setRawMode'>;
  stdout: Pick<WriteStream, 'isTTY' | 'rows' | 'columns' | 'on' | 'off'>;
}

/**
 * Puts our terminal in raw mode, so that keys (Ctrl-C too) go to the guest's terminal, and keeps the sizes equal.
 * Without a terminal of our own there is nothing to do.
 */
export function attachTerminal(target: ProcessCalls, { stdin, stdout }: Terminal = process): { detach(): void } {
  const resize = () => {
    if (stdout.isTTY) target.resize(stdout.rows, stdout.columns).catch(() => {});
  };
  if (stdin.isTTY) stdin.setRawMode(true);
  resize();
  // Node turns SIGWINCH into this event.
  stdout.on('resize', resize);
  return {
    detach: () => {
      stdout.off('resize', resize);
      if (stdin.isTTY) stdin.setRawMode(false);
    },
  };
}
