import { readFileSync } from 'node:fs';

/** One line of /proc/<pid>/mountinfo (proc_pid_mountinfo(5)), escapes resolved. */
export interface MountInfo {
  id: number;
  parentId: number;
  major: number;
  minor: number;
  /** Path inside the file system that is the mount's root. */
  root: string;
  mountPoint: string;
  /** Of the mount: `ro`, `nosuid`, `nodev`, ... */
  options: string[];
  /** `shared:2`, `master:1`, ... */
  optionalFields: string[];
  fstype: string;
  source: string;
  /** Of the file system. */
  superOptions: string[];
}

/** The mounts that a process sees, in the order they were made. */
export function mountinfo(pid: number | 'self' = 'self'): MountInfo[] {
  return parseMountinfo(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'));
}

export function parseMountinfo(text: string): MountInfo[] {
  return text.split('\n').filter(Boolean).map(parseLine);
}

function parseLine(line: string): MountInfo {
  const words = line.split(' ');
  // The optional fields end at a word that is a single hyphen; nothing before them can be one.
  const hyphen = words.indexOf('-', 6);
  const [id, parentId, device, root, mountPoint, options] = words;
  const [fstype, source, superOptions] = words.slice(hyphen + 1);
  const numbers = /^(\d+):(\d+)$/.exec(device ?? '');
  if (hyphen < 0 || !numbers || superOptions === undefined) {
    throw new SyntaxError(`not a line of mountinfo: ${JSON.stringify(line)}`);
  }
  return {
    id: Number(id),
    parentId: Number(parentId),
    major: Number(numbers[1]),
    minor: Number(numbers[2]),
    root: unescaped(root!),
    mountPoint: unescaped(mountPoint!),
    options: options!.split(','),
    optionalFields: words.slice(6, hyphen),
    fstype: unescaped(fstype!),
    source: unescaped(source!),
    superOptions: superOptions.split(',').map(unescaped),
  };
}

/** Blank, tab, newline, backslash and number sign are written as a backslash and three octal digits. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
