import { closeSync } from 'node:fs';
import { eventfd, memfdCreate, pipe, socketpair } from '@kata-mock/posix';
import { Command, encodeMessage, HEADER_BYTES, viewOf } from '../protocol/index.ts';

/** Numbers that come again for the same seed (xorshift32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }

  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }

  /** 0 … limit - 1. */
  below(limit: number): number {
    return this.next() % limit;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  chance(oneIn: number): boolean {
    return this.below(oneIn) === 0;
  }
}

/** Values at which things go wrong. */
const edges = [0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 24, 32, 63, 64, 255, 256, 4095, 4096, 4097, 0x10000, 1 << 20];
const wide = [0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_fffe, 0xffff_ffff];
/** Payload sizes near those the commands have. */
const sizes = [0, 1, 4, 7, 8, 15, 16, 17, 20, 21, 23, 24, 28, 31, 32, 33, 36, 40, 48, 64, 80, 200];
const commands = [...Object.values(Command), 0, 14, 19, 255, 65_535];

/** One message: a command with a payload of plausible and impossible words; now and then with a broken header. */
export function randomMessage(random: Random): Uint8Array {
  const command = random.pick(commands);
  const payload = new Uint8Array(random.chance(50) ? random.below(5000) : random.pick(sizes));
  const view = viewOf(payload);
  for (let at = 0; at + 4 <= payload.length; at += 4) view.setUint32(at, word(random), true);
  // argsz and counts that fit let more of the handlers run.
  if (payload.length >= 4 && !random.chance(3)) view.setUint32(0, payload.length, true);
  if (
    (command === Command.REGION_WRITE || command === Command.REGION_READ) &&
    payload.length >= 16 &&
    !random.chance(4)
  ) {
    view.setUint32(4, 0, true);
    view.setUint32(0, random.below(4200), true);
    view.setUint32(8, random.below(9), true);
    view.setUint32(12, command === Command.REGION_WRITE ? payload.length - 16 : random.pick([1, 2, 4, 8, 64]), true);
  }
  const flags = random.chance(8) ? random.next() : random.pick([0, 0, 0, 0x10]);
  const message = encodeMessage({ id: random.below(65_536), command, flags, errno: 0 }, payload);
  if (random.chance(2000)) viewOf(message).setUint32(4, random.pick([0, 3, 15, ...wide, HEADER_BYTES]), true);
  return message;
}

function word(random: Random): number {
  if (random.chance(3)) return random.pick(edges);
  if (random.chance(6)) return random.pick(wide);
  return random.below(64) === 0 ? random.next() : random.below(40);
}

/** Descriptors of the right and the wrong kind: eventfds, memfds of all sizes, pipes, sockets. */
export class DescriptorPool {
  readonly #fds: number[] = [];

  constructor() {
    this.#fds.push(eventfd(), eventfd());
    for (const [size, seal] of [
      [4096, true],
      [1 << 20, true],
      [4096, false],
      [100, false],
    ] as const)
      this.#fds.push(memfdCreate('fuzz', { size, seal }));
    const { read, write } = pipe();
    this.#fds.push(read, write, ...socketpair());
  }

  pick(random: Random): number[] {
    if (!random.chance(6)) return [];
    return Array.from({ length: random.below(5) }, () => random.pick(this.#fds));
  }

  close(): void {
    for (const fd of this.#fds) closeSync(fd);
  }
}
