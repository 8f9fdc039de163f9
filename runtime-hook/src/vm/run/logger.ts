import path from 'node:path';
import { type Level, type Logger, pino } from 'pino';

/** Logs of one run: into its sandbox's directory, and on stderr with --verbose. */
export function runLogger(logs: string, sandbox: string, verbose: boolean): Logger {
  const file = pino.destination({ dest: path.join(logs, 'run.log'), sync: true, mode: 0o600 });
  const streams: { level: Level; stream: { write(text: string): void } }[] = [{ level: 'debug', stream: file }];
  if (verbose) streams.push({ level: 'debug', stream: { write: (text) => void process.stderr.write(text) } });
  return pino({ level: 'debug', base: { sandbox } }, pino.multistream(streams));
}
