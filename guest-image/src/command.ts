import { type SpawnOptions, spawn } from 'node:child_process';
import { accessSync, constants, createWriteStream } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { SetupError } from './errors.ts';

export interface CommandOptions {
  cwd?: string;
  /** Added to this process's environment. */
  env?: Record<string, string>;
  /** Given to the program's stdin, then closed; otherwise stdin is /dev/null. */
  input?: string;
  /** Needs root: run through sudo when we are not. */
  root?: boolean;
  /** stdout goes to this file instead of into the result. */
  stdoutFile?: string;
  /** Where the program is looked for, by default $PATH. */
  hint?: string;
}

export interface CommandResult {
  stdout: string;
  stderr: string;
}

/** Lines of a failed program's stderr that go into the error message. */
const TAIL_LINES = 15;

/** Runs a program without a shell. A failure throws with the command and the end of what it printed. */
export async function run(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const [file, argv] = options.root ? withRoot(program, args, options.env) : [program, [...args]];
  const child = spawn(file, argv, spawnOptions(options));
  const failed = new Promise<never>((_resolve, reject) => child.once('error', reject));
  const closed = new Promise<{ status: number | null; signal: string | null }>((resolve) =>
    child.once('close', (status, signal) => resolve({ status, signal })),
  );
  if (child.stdin) {
    child.stdin.on('error', () => {}); // the program may leave without reading: its exit status tells
    child.stdin.end(options.input);
  }
  const stderr = collect(child.stderr);
  const stdout = options.stdoutFile
    ? pipeline(child.stdout!, createWriteStream(options.stdoutFile)).then(() => '')
    : collect(child.stdout);
  try {
    const { status, signal } = await Promise.race([closed, failed]);
    if (status === 0) return { stdout: await stdout, stderr: await stderr };
    const tail = (await stderr).trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
    throw new SetupError(
      'COMMAND_FAILED',
      `${[file, ...argv].join(' ')} failed (${signal ?? `exit ${status}`}):\n${tail}`,
    );
  } catch (error) {
    if (error instanceof SetupError) throw error;
    const hint = options.hint ? `; ${options.hint}` : '';
    throw new SetupError('MISSING_PROGRAM', `${file} does not start: ${(error as Error).message}${hint}`, {
      cause: error,
    });
  }
}

/** Where a program is on $PATH or in the administrator's folders, or undefined. */
export function findProgram(name: string, search = process.env['PATH'] ?? ''): string | undefined {
  for (const folder of [...search.split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin']) {
    if (!folder) continue;
    const file = path.join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // not here
    }
  }
  return undefined;
}

export const isRoot = (): boolean => process.getuid?.() === 0;

function withRoot(program: string, args: readonly string[], env: Record<string, string> = {}): [string, string[]] {
  if (isRoot()) return [program, [...args]];
  if (!findProgram('sudo')) {
    throw new SetupError('MISSING_PROGRAM', `${program} needs root: run this as root, or install sudo`);
  }
  // sudo clears the environment, so what the program needs is named again behind it.
  const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return ['sudo', ['env', ...assignments, program, ...args]];
}

function spawnOptions(options: CommandOptions): SpawnOptions {
  return {
    cwd: options.cwd,
    env: { ...process.env, LC_ALL: 'C.UTF-8', ...options.env },
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  };
}

async function collect(stream: NodeJS.ReadableStream | null): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
