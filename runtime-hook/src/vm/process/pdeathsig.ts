/**
 * Ties a child's life to ours: `setpriv` asks the kernel to send it SIGKILL when the thread that started it ends, and
 * then becomes the program. The setting survives exec, so it holds for QEMU behind the wrapper too.
 */
export function diesWithParent(command: string, args: string[]): { command: string; args: string[] } {
  return { command: 'setpriv', args: ['--pdeathsig', 'KILL', '--', command, ...args] };
}
