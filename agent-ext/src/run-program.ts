import { type StdioOptions, spawn } from 'node:child_process';
import { AgentError } from './errors.ts';
import type { Reaper } from './init/reaper.ts';

export interface RunOptions {
  readonly input?: string | Uint8Array;
  /** Descriptors for the child's 0, 1 and 2 instead of pipes to here. */
  readonly stdio?: readonly [number, number, number];
  readonly signal?: AbortSignal | undefined;
  readonly env?: NodeJS.ProcessEnv;
}

export interface RunResult {
  /** Exit code; 128 + signal is not told apart here: null with `signal`. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** More of a helper's output is dropped: nothing that is run here says this much on purpose. */
const MOST_OUTPUT_BYTES = 4 * 1024 * 1024;

/** Runs a program of the guest without a shell and collects what it says. Throws only when it cannot be started. */
export function runProgram(
  reaper: Reaper,
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const stdio: StdioOptions = options.stdio ? [...options.stdio] : ['pipe', 'pipe', 'pipe'];
  return new Promise((resolve, reject) => {
    const child = reaper.track(
      spawn(program, args, {
        stdio,
        env: options.env ?? process.env,
        ...(options.signal ? { signal: options.signal } : {}),
      }),
    );
    const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    for (const name of ['stdout', 'stderr'] as const) {
      let size = 0;
      child[name]?.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= MOST_OUTPUT_BYTES) output[name].push(chunk);
      });
    }
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input ?? '');
    child.once('error', (cause) => {
      if (child.pid === undefined) reject(notStarted(program, cause));
      else reject(cause);
    });
    child.once('close', (code, signal) => {
      const text = (name: 'stdout' | 'stderr') => Buffer.concat(output[name]).toString('utf8');
      resolve({ code, signal, stdout: text('stdout'), stderr: text('stderr') });
    });
  });
}

function notStarted(program: string, cause: Error): AgentError {
  const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
  const why = missing ? 'it is not in this guest' : cause.message;
  return new AgentError(missing ? 'UNIMPLEMENTED' : 'INTERNAL', `cannot run "${program}": ${why}`, { cause });
}

/** Characters of a program's complaint that an error repeats. */
const MOST_QUOTED = 500;

/** Runs a program that must succeed. The error has its name and what it said. */
export async function mustRun(
  reaper: Reaper,
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, signal, stdout, stderr } = await runProgram(reaper, program, args, options);
  if (code === 0) return stdout;
  const said = stderr.trim().split('\n').join('; ').slice(0, MOST_QUOTED) || 'it said nothing';
  throw new AgentError('INTERNAL', `${program} ${args[0] ?? ''} failed (${signal ?? `exit ${code}`}): ${said}`);
}

/**
 * Runs the first of several spellings of a command whose program this guest has: a small one has busybox only. Without
 * any of them the error is the first one's.
 */
export async function mustRunOneOf(
  reaper: Reaper,
  commands: readonly [readonly [string, ...string[]], ...(readonly [string, ...string[]])[]],
): Promise<string> {
  let missing: AgentError | undefined;
  for (const [program, ...args] of commands) {
    try {
      return await mustRun(reaper, program, args);
    } catch (error) {
      if (!(error instanceof AgentError) || error.code !== 'UNIMPLEMENTED') throw error;
      missing ??= error;
    }
  }
  throw missing;
}
