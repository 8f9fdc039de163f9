/** Functions of glibc as the rest of this package calls them, and the errors they end in. */
import { PosixError, refuse } from './errors.ts';
import { type Argument, type Call, native, type Value } from './native.ts';

const EINTR = 4;

/** Binds a glibc function that returns -1 with errno for failure; `result` is its C type (ssize_t and addresses are long). */
export function bind(name: string, parameters: Argument[], result: 'int' | 'long' = 'int'): Call {
  let call: Call | undefined;
  return (...args) => {
    call ??= load(name, parameters, result);
    return call(...args);
  };
}

/** The function itself, for hot paths: without {@link bind}'s first-call check, which costs as much as a short call. */
export function load(name: string, parameters: Argument[], result: 'int' | 'long'): Call {
  return native().load(name, parameters, result);
}

/** errno of the last call of this thread. Read it before anything else runs. */
export function errno(): number {
  return native().errno();
}

/** Error of the last call of this thread. `args` are quoted in its message. */
export function failure(syscall: string, args: readonly unknown[]): PosixError {
  const number = errno();
  return new PosixError(syscall, number, args, native().strerror(number).toLowerCase());
}

/** Runs a call that answers -1 for failure; `quoted` replaces what the message quotes. */
export function check(syscall: string, call: Call, args: Value[], quoted: readonly unknown[] = args): number {
  for (const value of args) if (typeof value === 'string') assertNoNul(syscall, value, quoted);
  const result = call(...args);
  if (result === -1) throw failure(syscall, quoted);
  return result;
}

/** Like {@link check}, starting again when a signal interrupted the call. */
export function checkRestarting(syscall: string, call: Call, args: Value[], quoted: readonly unknown[] = args): number {
  for (;;) {
    const result = call(...args);
    if (result !== -1) return result;
    if (errno() !== EINTR) throw failure(syscall, quoted);
  }
}

/** A path with a NUL byte would reach the kernel cut short, as another path than the caller checked. */
export function assertNoNul(syscall: string, value: string, quoted: readonly unknown[]): void {
  if (value.includes('\0')) throw refuse(syscall, 'EINVAL', quoted, 'a string argument has a NUL byte');
}

/** Address of the first byte. It stays put as long as the array is referenced: V8 does not move backing stores. */
export function address(bytes: Uint8Array): bigint {
  return BigInt(native().address(bytes));
}

/**
 * Runs a call while `referenced` cannot be collected: needed where C sees memory only by an address written into
 * another structure, which the collector does not know of.
 */
export function holding<T>(referenced: unknown, call: () => T): T {
  const outer = held.reference;
  held.reference = [outer, referenced];
  try {
    return call();
  } finally {
    held.reference = outer;
  }
}

const held: { reference: unknown } = { reference: undefined };

const syscallFunction = bind('syscall', ['long', 'long', 'long', 'long', 'long', 'long', 'long'], 'long');

/** A call that glibc has no wrapper for. Numbers differ between architectures below 424. */
const numbers = {
  io_setup: { x64: 206, arm64: 0 },
  io_destroy: { x64: 207, arm64: 1 },
  io_getevents: { x64: 208, arm64: 4 },
  io_submit: { x64: 209, arm64: 2 },
  kcmp: { x64: 312, arm64: 272 },
  finit_module: { x64: 313, arm64: 273 },
  delete_module: { x64: 176, arm64: 106 },
  seccomp: { x64: 317, arm64: 277 },
  openat2: { x64: 437, arm64: 437 },
  pidfd_open: { x64: 434, arm64: 434 },
  pidfd_send_signal: { x64: 424, arm64: 424 },
  open_tree: { x64: 428, arm64: 428 },
  move_mount: { x64: 429, arm64: 429 },
} as const;

export function syscall(name: keyof typeof numbers, args: (number | bigint | Uint8Array)[], quoted: unknown[]): number {
  const number = numbers[name][process.arch as 'x64' | 'arm64'];
  if (number === undefined) throw refuse(name, 'ENOSYS', quoted, `no system call number is known for ${process.arch}`);
  const words = args.map((value) => (value instanceof Uint8Array ? address(value) : value));
  while (words.length < 6) words.push(0);
  return holding(args, () => {
    const result = syscallFunction(number, ...words);
    if (result === -1) throw failure(name, quoted);
    return result;
  });
}

/** NUL-terminated bytes of a string argument for {@link syscall}. */
export function cString(syscallName: string, value: string, quoted: readonly unknown[]): Uint8Array {
  assertNoNul(syscallName, value, quoted);
  return Buffer.from(`${value}\0`);
}
