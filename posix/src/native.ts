/**
 * The one door to native code: this package's own addon where it was built (posix/native), koffi otherwise. Both are
 * loaded at the first call, so that importing this package costs a program that never makes a system call nothing.
 */
import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import type Koffi from 'koffi';

export type Argument = 'int' | 'uint' | 'long' | 'ulong' | 'size_t' | 'int64_t' | 'uint64_t' | 'pointer' | 'string';
/** Values as C sees them: a Uint8Array is passed as the address of its first byte, without a copy. */
export type Value = number | bigint | string | Uint8Array | null;
export type Call = (...args: Value[]) => number;

export interface Native {
  readonly name: 'addon' | 'koffi';
  /** A function of glibc by name, whose arguments are integers and pointers. */
  load(name: string, parameters: readonly Argument[], result: 'int' | 'long'): Call;
  /** errno of the last call of this thread. */
  errno(): number;
  strerror(errno: number): string;
  address(bytes: Uint8Array): number;
  /** An ArrayBuffer of memory that stays the caller's. */
  view(start: number, length: number): ArrayBuffer;
  /** Makes every array on the buffer an empty one, so that its memory can go. */
  detach(buffer: ArrayBuffer): void;
  /** The addon's hot path; see MessageExchange. */
  readonly makeExchange?: MakeExchange;
}

export type MakeExchange = (
  memory: Uint8Array,
  fd: number,
  receive: Uint8Array,
  send: Uint8Array,
  words: Int32Array,
  maxFds: number,
  idleMs: number,
) => (() => void) | undefined;

/** What posix/native exports. */
interface Addon {
  load(name: string, isLong: boolean): Call | undefined;
  errno(): number;
  strerror(errno: number): string;
  address(bytes: Uint8Array): number;
  view(start: number, length: number): ArrayBuffer;
  detach(buffer: ArrayBuffer): void;
  makeExchange: MakeExchange;
}

/** Beside a bundle or the emitted JavaScript; in the sources' dist. */
const addonPaths = ['./posix.node', '../dist/posix.node'];

let chosen: Native | undefined;
let koffi: typeof Koffi | undefined;

/** `KATA_MOCK_POSIX=koffi` leaves the addon alone. */
export function native(): Native {
  chosen ??= (process.env['KATA_MOCK_POSIX'] === 'koffi' ? undefined : addon()) ?? throughKoffi();
  return chosen;
}

/** koffi itself, for what only it has. */
export function loadKoffi(): typeof Koffi {
  koffi ??= createRequire(import.meta.url)('koffi') as typeof Koffi;
  return koffi;
}

function addon(): Native | undefined {
  const require = createRequire(import.meta.url);
  for (const file of addonPaths) {
    try {
      const { load, ...rest } = require(file) as Addon;
      // Built from other sources.
      if (rest.detach === undefined) continue;
      return { name: 'addon', ...rest, load: (name, _, result) => load(name, result === 'long') ?? missing(name) };
    } catch {
      // Not built, or for another machine: koffi does all of it, slower.
    }
  }
  return undefined;
}

function missing(name: string): never {
  throw new TypeError(`the C library has no function ${name}`);
}

function throughKoffi(): Native {
  const library = loadKoffi().load('libc.so.6');
  const strerror = library.func('strerror', 'const char *', ['int']) as unknown as (errno: number) => string;
  const { errno, address, view } = loadKoffi();
  return {
    name: 'koffi',
    load(name, parameters, result) {
      const types = parameters.map((type) => ({ pointer: 'void *', string: 'const char *' })[type as string] ?? type);
      return library.func(name, result, types) as unknown as Call;
    },
    errno: () => errno(),
    strerror,
    address: (bytes) => Number(address(bytes)),
    view: (start, length) => view(BigInt(start), length),
    detach: v8Detach(),
  };
}

/** V8's own way to detach a buffer: JavaScript of Node 20 has none for memory that is not V8's. */
function v8Detach(): (buffer: ArrayBuffer) => void {
  // It stays on: V8 drops code that rests and compiles it anew.
  setFlagsFromString('--allow-natives-syntax');
  return new Function('buffer', '%ArrayBufferDetach(buffer)') as (buffer: ArrayBuffer) => void;
}
