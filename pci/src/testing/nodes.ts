import { lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PciError } from '../errors.ts';
import { isMissing } from '../sysfs-names.ts';

/** A device node as far as tests need it: block or character, and its numbers. */
export interface FakeNode {
  readonly type: 'b' | 'c';
  readonly major: number;
  readonly minor: number;
}

const MARK = 'fake device node';

/** Reads `c 240:0`, `b 8:0` or `240:0` (character). */
export function parseNode(text: string): FakeNode {
  const match = /^(?:([bc]) )?(\d{1,10}):(\d{1,10})$/.exec(text);
  if (!match) throw new PciError('INVALID_TREE', `invalid node "${text}": expected "c MAJOR:MINOR" or "b MAJOR:MINOR"`);
  return { type: (match[1] as 'b' | 'c' | undefined) ?? 'c', major: Number(match[2]), minor: Number(match[3]) };
}

/** Makes a node file: a plain file whose one line carries the numbers, so no root is needed. */
export function writeNode(file: string, node: FakeNode): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${MARK} ${node.type} ${node.major}:${node.minor}\n`);
}

/**
 * What is at a path: a node (fake or real), `other` for anything that is no device, undefined for nothing.
 * Code under test takes a function like this one instead of calling stat.
 */
export function readNode(file: string): FakeNode | 'other' | undefined {
  try {
    const stat = lstatSync(file);
    if (stat.isFile()) return fakeNode(file, stat.size);
    if (!stat.isCharacterDevice() && !stat.isBlockDevice()) return 'other';
    return { type: stat.isBlockDevice() ? 'b' : 'c', ...numbersOf(stat.rdev) };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function fakeNode(file: string, size: number): FakeNode | 'other' {
  if (size > 64) return 'other';
  const text = readFileSync(file, 'utf8').trimEnd();
  return text.startsWith(`${MARK} `) ? parseNode(text.slice(MARK.length + 1)) : 'other';
}

/** Linux packs 12 bits of major and 20 of minor into the low 32 bits of dev_t. */
function numbersOf(rdev: number): { major: number; minor: number } {
  return { major: (rdev >>> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) };
}
