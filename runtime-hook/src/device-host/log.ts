import { writeSync } from 'node:fs';
import { pino } from 'pino';
import type { Config } from '../config/config.ts';

/** A guest can make a device host log: past this many bytes its log says so and ends. */
const mostBytes = 16 << 20;

/** Writes to an open file, JSON or text, with the sandbox as a field of every line. */
export function fileLogger(fd: number, { format, level }: Config['log'], sandbox: string) {
  let left = mostBytes;
  const write = (line: string) => {
    if (left <= 0) return;
    const text = format === 'json' ? line : asText(line);
    left -= Buffer.byteLength(text);
    writeSync(fd, left > 0 ? text : 'the log is full\n');
  };
  const time = () => `,"time":"${new Date().toISOString()}"`;
  const formatters = { level: (label: string) => ({ level: label }) };
  return pino({ level, base: { sandbox }, timestamp: time, formatters }, { write });
}

function asText(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const pairs = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `${time} ${String(level).padEnd(5)} ${msg} ${pairs.join(' ')}\n`;
}
