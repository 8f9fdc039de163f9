import type { Io } from '../src/cli/context.ts';
import { run } from '../src/cli/program.ts';

export interface Result {
  status: number;
  out: string;
  err: string;
}

/** Runs the command in this process, with text for stdin. */
export async function cdi(args: string[], stdin = '', stop = new AbortController().signal): Promise<Result> {
  const result = { status: 0, out: '', err: '' };
  const io: Io = {
    stdin: () => Buffer.from(stdin),
    out: (text) => {
      result.out += text;
    },
    err: (text) => {
      result.err += text;
    },
  };
  result.status = await run(args, io, stop);
  return result;
}
