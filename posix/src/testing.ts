/** Helpers of this package's own tests. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'vitest';

/** What each descriptor of this process points at, sorted; descriptors of the runtime come and go and are left out. */
export function openDescriptors(): string[] {
  const open: string[] = [];
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      if (!target.includes('/proc/') && !target.includes('node_modules')) open.push(`${fd} ${target}`);
    } catch {
      // The descriptor that listed the directory is gone by now.
    }
  }
  return open.sort();
}

export function temporaryDirectory(): { path: string; remove(): void } {
  const directory = mkdtempSync(path.join(tmpdir(), 'posix-'));
  return { path: directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/** The `code` of the error that `action` throws; undefined when it does not. */
export function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

/** Runs TypeScript source text in a Node of its own, as a program of this project would, and returns what it prints. */
export function runSource(source: string, args: readonly string[] = [], through: readonly string[] = []): string {
  const flags = ['--import', 'tsx', '--conditions=@kata-mock/source', '--input-type=module', '-e', source, ...args];
  const [command, ...rest] = [...through, process.execPath, ...flags];
  return execFileSync(command!, rest, { cwd: path.join(import.meta.dirname, '../..'), encoding: 'utf8' });
}

/** {@link runSource} in a mount namespace of its own; skips the test, saying why, where that is not allowed. */
export function inPrivateMounts(context: TestContext, source: string, args: readonly string[] = []): string {
  const unshare = ['unshare', '--mount', '--propagation', 'private'];
  needsRoot(context, 'a mount namespace');
  return runSource(source, args, unshare);
}

/** Skips the test when it does not run as root, and says so. */
export function needsRoot(context: TestContext, what: string): void {
  if (process.getuid?.() === 0) return;
  console.log(`skipped: ${what} needs root`);
  context.skip(`${what} needs root`);
}
