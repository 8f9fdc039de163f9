/** Helpers of this package's own tests. */
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

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
