import { readFileSync } from 'node:fs';

/** Splits a kernel command line; values may be quoted as the kernel allows (`key="a b"`). Later entries win. */
export function parseCommandLine(text: string): Map<string, string> {
  const entries = new Map<string, string>();
  for (const [word] of text.matchAll(/(?:"[^"]*"|[^\s"])+/g)) {
    const plain = word.replaceAll('"', '');
    const at = plain.indexOf('=');
    if (at < 0) entries.set(plain, '');
    else entries.set(plain.slice(0, at), plain.slice(at + 1));
  }
  return entries;
}

/** The running kernel's; empty where /proc tells nothing. */
export function readKernelCommandLine(file = '/proc/cmdline'): Map<string, string> {
  try {
    return parseCommandLine(readFileSync(file, 'utf8'));
  } catch {
    return new Map();
  }
}
