import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { AgentError } from '../errors.ts';

/**
 * Gives a runc command its own log file, since its stderr may be the container's. When `command` says it failed, the
 * error has the last message of the log.
 * @param prefix path of the file, to which something unique is added
 */
export async function logged(
  prefix: string,
  command: (args: readonly string[]) => Promise<string | undefined>,
): Promise<void> {
  const file = `${prefix}.${randomBytes(4).toString('hex')}`;
  try {
    const failure = await command(['--log', file, '--log-format', 'json']);
    if (failure !== undefined) throw new AgentError('INTERNAL', `${failure}: ${lastMessage(file)}`);
  } finally {
    rmSync(file, { force: true });
  }
}

function lastMessage(file: string): string {
  try {
    const lines = readFileSync(file, 'utf8').trim().split('\n').reverse();
    for (const line of lines) {
      const { level, msg } = JSON.parse(line) as { level?: string; msg?: string };
      if (msg && level !== 'debug' && level !== 'info') return msg;
    }
  } catch {
    // No log or a torn line: the exit code has to do.
  }
  return 'it logged no reason';
}
