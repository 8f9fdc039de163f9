#!/usr/bin/env node
import { run } from './program.ts';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
// `ttrpc trace … | head` ends with its reader.
process.stdout.on('error', () => stop.abort());

process.exitCode = await run(process.argv.slice(2), {
  stdin: process.stdin,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  stop: stop.signal,
});

// A call that failed may have left standard input open: the program must not wait for its end.
process.stdin.destroy();
