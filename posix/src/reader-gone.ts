/**
 * Ends a program whose stdout nobody reads any more, such as one before head(1), as any other wish to stop does: by
 * SIGTERM, so that who handles that still cleans up. Node ignores SIGPIPE, which would do it.
 */
export function endWithReader(): void {
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') process.kill(process.pid, 'SIGTERM');
  });
}
