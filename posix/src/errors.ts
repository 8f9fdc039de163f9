import { constants } from 'node:os';

const names = new Map<number, string>();
// Some numbers have two names; the first is the one people know (EAGAIN before EWOULDBLOCK).
for (const [name, number] of Object.entries(constants.errno)) if (!names.has(number)) names.set(number, name);

/**
 * A system call that failed. `code` is the errno's name (`'ENOENT'`), `errno` its number (positive, as errno(3) has
 * it), `syscall` the call's name. The message quotes the call's arguments.
 */
export class PosixError extends Error {
  override readonly name = 'PosixError';
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;

  constructor(syscall: string, errno: number, args: readonly unknown[], reason: string) {
    const code = errnoName(errno);
    super(`${syscall}(${args.map(quote).join(', ')}) failed: ${code}: ${reason}`);
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
  }
}

/** Name of an errno (`2` is `'ENOENT'`); `'ERRNO_<number>'` for one that Node has no name for. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `ERRNO_${errno}`;
}

/** A refusal of this package itself, in the shape of the kernel's: the arguments cannot be passed on as they are. */
export function refuse(syscall: string, code: keyof typeof constants.errno, args: readonly unknown[], reason: string) {
  return new PosixError(syscall, constants.errno[code], args, reason);
}

/** A word that a message shows as it is, without quotes: the name of a constant, `<12 bytes>`. */
export function word(text: string): { toString(): string } {
  return { toString: () => text };
}

function quote(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 256 ? `${value.slice(0, 256)}…` : value);
  if (value instanceof Uint8Array) return `<${value.byteLength} bytes>`;
  if (Array.isArray(value)) return `[${value.map(quote).join(', ')}]`;
  return String(value);
}
