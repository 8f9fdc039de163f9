/**
 * Calls that last as long as a disk or a peer pleases, on threads of Node's pool, where the promises of node:fs run too
 * (`UV_THREADPOOL_SIZE` of them, 4 by default): the caller's own thread goes on. Each does what its namesake does.
 */
import { PosixError, word } from './errors.ts';
import { address, assertNoNul } from './libc.ts';
import { type Argument, loadKoffi, native, type Value } from './native.ts';
import { type Openat2Options, openHow } from './open-how.ts';

/** The same on every architecture, as all calls from 424 on. */
const SYS_OPENAT2 = 437;

/** {@link mount}, without holding up this thread. */
export async function mountAsync(source: string, target: string, fstype: string, flags = 0, data = ''): Promise<void> {
  const quoted = [source, target, fstype, word(`0x${flags.toString(16)}`), data];
  await callMount([source, target, fstype, flags, data], quoted);
}

/** {@link umount2}, without holding up this thread. */
export async function umount2Async(target: string, flags = 0): Promise<void> {
  await callUmount([target, flags], [target, flags]);
}

/** {@link ioctl}, without holding up this thread. Leave `argument` alone until it has answered. */
export function ioctlAsync(fd: number, request: number, argument: Uint8Array): Promise<number> {
  return callIoctl([fd, request, argument], [fd, word(`0x${request.toString(16)}`), argument]);
}

/** {@link openat2}, without holding up this thread. */
export function openat2Async(dirfd: number, path: string, options: Openat2Options = {}): Promise<number> {
  const { how, quoted } = openHow(dirfd, path, options);
  return callOpenat2([SYS_OPENAT2, dirfd, path, how, how.byteLength], quoted);
}

const callMount = inPool('mount', ['string', 'string', 'string', 'ulong', 'string']);
const callUmount = inPool('umount2', ['string', 'int']);
const callIoctl = inPool('ioctl', ['int', 'ulong', 'pointer']);
const callOpenat2 = inPool('openat2', ['long', 'long', 'string', 'pointer', 'size_t'], 'syscall');

interface PoolFunction {
  async(...args: [...Value[], (error: Error | null, result: number) => void]): void;
}

/** Only koffi has such calls. It keeps the errno of the other thread for the callback. */
function inPool(name: string, parameters: Argument[], symbol = name) {
  let call: PoolFunction | undefined;
  return (args: Value[], quoted: readonly unknown[]): Promise<number> =>
    inTurn(
      () =>
        new Promise((resolve, reject) => {
          for (const value of args) if (typeof value === 'string') assertNoNul(name, value, quoted);
          const koffi = loadKoffi();
          call ??= load(symbol, parameters);
          const words = args.map((value) => (value instanceof Uint8Array ? address(value) : value));
          call.async(...words, (error, result) => {
            const number = koffi.errno();
            // C has used what they hold by its address alone until now.
            void args;
            if (error) reject(error);
            else if (result !== -1) resolve(result);
            else reject(new PosixError(name, number, quoted, native().strerror(number).toLowerCase()));
          });
        }),
    );
}

/** koffi refuses more than 256 at a time; there are fewer threads anyway, and each call takes 256 KiB. */
const MOST_AT_ONCE = 64;
let running = 0;
const waiting: (() => void)[] = [];

async function inTurn(call: () => Promise<number>): Promise<number> {
  if (running >= MOST_AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  else running++;
  try {
    return await call();
  } finally {
    // Who waits takes this one's place.
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

function load(symbol: string, parameters: readonly Argument[]): PoolFunction {
  const types = parameters.map((type) => ({ pointer: 'intptr_t', string: 'const char *' })[type as string] ?? type);
  return loadKoffi()
    .load('libc.so.6')
    .func(symbol, symbol === 'syscall' ? 'long' : 'int', types) as unknown as PoolFunction;
}
