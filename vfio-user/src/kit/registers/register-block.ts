import { VfioUserError } from '../../errors.ts';
import { viewOf } from '../../protocol/index.ts';
import type { BookBlock, BookRegister } from '../../register-book/book.ts';
import type { Region, RegisterValue } from '../../server/device.ts';

/** What a register does beside keeping its value. Values are numbers up to 4 bytes wide, bigints for 8. */
export interface RegisterHandler {
  /** Gives the value of a read; the stored one otherwise. Not for byte arrays. */
  read?(): number | bigint;
  /**
   * Told of every write software may make, with the whole new value of the register (RW1C: with
   * the bits written as 1). `exact` is a bigint for 8-byte registers. False keeps the old value.
   */
  write?(value: number, exact: number | bigint): unknown;
}

interface Register {
  name: string;
  offset: number;
  width: number;
  readable: boolean;
  access: BookRegister['access'];
  handler: RegisterHandler;
  reset: Uint8Array;
  mask: bigint;
  /** The mask's low 32 bits. */
  narrowMask: number;
}

/** A BAR (or part of one) made of registers that are described as data. */
export class RegisterBlock implements Region {
  readonly size: number;
  /** What writes tried in vain: one for each read-only register, and one for each stretch without any register. */
  dropped = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #registers: Register[];
  /** Index of the register at each byte, plus 1; 0 for none. */
  readonly #map: Uint16Array;
  readonly #byName: Map<string, Register>;

  constructor(block: Pick<BookBlock, 'size' | 'registers'>, handlers: Record<string, RegisterHandler> = {}) {
    this.size = Number(block.size);
    this.#bytes = new Uint8Array(this.size);
    this.#view = viewOf(this.#bytes);
    this.#map = new Uint16Array(this.size);
    this.#registers = block.registers.map((register) => compile(register, handlers[register.name] ?? {}));
    this.#byName = new Map(this.#registers.map((register) => [register.name, register]));
    for (const name of Object.keys(handlers)) this.#find(name);
    this.#registers.forEach((register, index) => {
      this.#map.fill(index + 1, register.offset, register.offset + register.width);
    });
    this.reset();
  }

  /** Every register back to its reset value. Does not call handlers. */
  reset(): void {
    for (const register of this.#registers) this.#bytes.set(register.reset, register.offset);
  }

  /** Sets the value a register has after every reset, and now. */
  setReset(name: string, value: number | bigint | Uint8Array): void {
    const register = this.#find(name);
    register.reset = toBytes(value, register.width);
    this.#bytes.set(register.reset, register.offset);
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  get(name: string): number {
    const register = this.#find(name);
    if (register.width === 8) return Number(this.#view.getBigUint64(register.offset, true));
    return readUint(this.#view, register.offset, register.width);
  }

  getBig(name: string): bigint {
    const register = this.#find(name);
    return register.width === 8 ? this.#view.getBigUint64(register.offset, true) : BigInt(this.get(name));
  }

  set(name: string, value: number | bigint | Uint8Array): void {
    const register = this.#find(name);
    this.#bytes.set(toBytes(value, register.width), register.offset);
  }

  read(offset: number, target: Uint8Array, at: number, count: number): void {
    for (let done = 0; done < count; ) {
      const register = this.#registers[this.#map[offset + done]! - 1];
      if (register === undefined) {
        target[at + done++] = 0;
        continue;
      }
      const skip = offset + done - register.offset;
      const rest = register.width - skip;
      const length = Math.min(rest, count - done);
      if (register.handler.read !== undefined) this.set(register.name, register.handler.read());
      for (let index = 0; index < length; index++)
        target[at + done + index] = register.readable ? this.#bytes[offset + done + index]! : 0;
      done += length;
    }
  }

  write(offset: number, source: Uint8Array, at: number, count: number): void {
    let nowhere = false;
    for (let done = 0; done < count; ) {
      const register = this.#registers[this.#map[offset + done]! - 1];
      if (register === undefined) {
        if (!nowhere) this.dropped++;
        nowhere = true;
        done++;
        continue;
      }
      nowhere = false;
      const skip = offset + done - register.offset;
      const length = Math.min(register.width - skip, count - done);
      if (register.access === 'RO') this.dropped++;
      else this.#writeRegister(register, skip, source, at + done, length);
      done += length;
    }
  }

  /** Every register's value, for people and tools. Reading has no side effect. */
  describe(): RegisterValue[] {
    return this.#registers.map(({ name, offset, width }) => {
      const bytes = this.#bytes.subarray(offset, offset + width);
      const number = width <= 8;
      const hex = Buffer.from(number ? bytes.slice().reverse() : bytes).toString('hex');
      return { name, offset, width, value: number ? `0x${hex}` : hex };
    });
  }

  /** All values as bytes, for migration. */
  save(): Uint8Array {
    return this.#bytes.slice();
  }

  restore(bytes: Uint8Array): void {
    if (bytes.length !== this.size)
      throw new VfioUserError('DEVICE', `saved registers have ${bytes.length} bytes, not ${this.size}`, { errno: 22 });
    this.#bytes.set(bytes);
  }

  #writeRegister(register: Register, skip: number, source: Uint8Array, at: number, length: number): void {
    const { offset, width } = register;
    if (width > 8) {
      this.#bytes.set(source.subarray(at, at + length), offset + skip);
      register.handler.write?.(0, 0n);
    } else if (width <= 4) this.#writeNarrow(register, skip, source, at, length);
    else this.#writeWide(register, skip, source, at, length);
  }

  #writeWide(register: Register, skip: number, source: Uint8Array, at: number, length: number): void {
    const { access } = register;
    const old = access === 'RW' ? this.#value(register) : 0n;
    let written = 0n;
    let touched = 0n;
    for (let index = 0; index < length; index++) {
      const shift = BigInt((skip + index) * 8);
      written |= BigInt(source[at + index]!) << shift;
      touched |= 0xffn << shift;
    }
    touched &= register.mask;
    let value = (old & ~touched) | (written & touched);
    if (access === 'RW1C') value = this.#value(register) & ~(written & touched);
    const told = access === 'RW1C' ? written & touched : value;
    if (register.handler.write?.(Number(told), told) === false) return;
    if (access !== 'WO') this.set(register.name, value);
  }

  /** The same without bigints: the hot path of posted writes. */
  #writeNarrow(register: Register, skip: number, source: Uint8Array, at: number, length: number): void {
    const { offset, width, access } = register;
    let written = 0;
    let touched = 0;
    for (let index = 0; index < length; index++) {
      const shift = (skip + index) * 8;
      written |= source[at + index]! << shift;
      touched |= 0xff << shift;
    }
    touched &= register.narrowMask;
    const set = written & touched;
    const old = access === 'WO' ? 0 : readUint(this.#view, offset, width);
    const value = access === 'RW1C' ? old & ~set : (old & ~touched) | set;
    const told = (access === 'RW1C' ? set : value) >>> 0;
    if (register.handler.write !== undefined && register.handler.write(told, told) === false) return;
    if (access === 'WO') return;
    if (width === 4) this.#view.setUint32(offset, value, true);
    else if (width === 2) this.#view.setUint16(offset, value, true);
    else this.#bytes[offset] = value;
  }

  #value(register: Register): bigint {
    return this.#view.getBigUint64(register.offset, true);
  }

  #find(name: string): Register {
    const register = this.#byName.get(name);
    if (!register) throw new VfioUserError('NOT_FOUND', `no register ${JSON.stringify(name)}`);
    return register;
  }
}

function compile(register: BookRegister, handler: RegisterHandler): Register {
  const { name, width, access } = register;
  const all = (1n << BigInt(Math.min(width, 8) * 8)) - 1n;
  const mask = register.mask === undefined ? all : BigInt(register.mask);
  return {
    name,
    offset: Number(register.offset),
    width,
    access,
    readable: access !== 'WO',
    handler,
    reset: width <= 8 ? toBytes(BigInt(register.reset ?? 0), width) : new Uint8Array(width),
    mask,
    narrowMask: Number(mask & 0xffff_ffffn) | 0,
  };
}

function readUint(view: DataView, offset: number, width: number): number {
  if (width === 4) return view.getUint32(offset, true);
  return width === 2 ? view.getUint16(offset, true) : view.getUint8(offset);
}

function toBytes(value: number | bigint | Uint8Array, width: number): Uint8Array {
  const bytes = new Uint8Array(width);
  if (value instanceof Uint8Array) {
    bytes.set(value.subarray(0, width));
    return bytes;
  }
  let rest = BigInt(value);
  for (let index = 0; index < width; index++) {
    bytes[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}
