import { closeSync } from 'node:fs';
import { dup, eventfd, eventfdSignal, eventfdTake } from '@kata-mock/posix';
import { Command, decodeSetIrqs, type Frame, HeaderFlag, type SetIrqs } from '../protocol/index.ts';
import { isEventfd } from '../server/irq-table.ts';

/** Decides whether, when and how often an interrupt goes on; `fire` delivers it. */
export type Deliver = (index: number, vector: number, fire: () => void) => void;

/** An eventfd of the client and the proxy's own that the server got in its place. */
interface Relay {
  index: number;
  vector: number;
  ours: number;
  theirs: number;
  closed: boolean;
}

/** What a DEVICE_SET_IRQS changes once the server agrees: these vectors lose their eventfds, `relays` are the new ones. */
interface Change {
  index: number;
  start: number;
  end: number;
  relays: readonly Relay[];
}

/** More than any device has vectors; beyond it eventfds go to the server as they are. */
const MAX_RELAYS = 4096;
/** An eventfd's counter tells how often it was written; so many are delivered one by one. */
const MAX_AT_ONCE = 64n;

/** Puts eventfds of its own between client and server, so that interrupts can be lost, late or double. */
export class ProxyInterrupts {
  readonly #deliver: Deliver;
  #relays: Relay[] = [];
  /** Changes that wait for the server's answer, by the id of the command. */
  readonly #proposed = new Map<number, Change>();

  constructor(deliver: Deliver) {
    this.#deliver = deliver;
  }

  /** Descriptors to wait for; see {@link forward}. A new list after each change. */
  get fds(): number[] {
    return this.#relays.map(({ ours }) => ours);
  }

  /** Looks at a command on its way to the server and replaces the eventfds in it. True when {@link fds} changed. */
  command(frame: Frame): boolean {
    if (frame.command !== Command.DEVICE_SET_IRQS) return false;
    const change = this.#changeOf(frame);
    if (!change) return false;
    this.#relays = [...this.#relays, ...change.relays];
    const lost = this.#proposed.get(frame.id);
    if (lost) this.#settle(lost, true);
    this.#proposed.delete(frame.id);
    if ((frame.flags & HeaderFlag.NO_REPLY) !== 0) this.#settle(change, true);
    else this.#proposed.set(frame.id, change);
    return true;
  }

  /** Looks at a reply of the server. True when {@link fds} changed. */
  reply(frame: Frame): boolean {
    const change = this.#proposed.get(frame.id);
    if (!change || frame.command !== Command.DEVICE_SET_IRQS) return false;
    this.#proposed.delete(frame.id);
    this.#settle(change, (frame.flags & HeaderFlag.ERROR) === 0);
    return true;
  }

  /** One of {@link fds} is readable. */
  forward(fd: number): void {
    const relay = this.#relays.find(({ ours }) => ours === fd);
    if (!relay) return;
    const times = eventfdTake(fd);
    for (let time = 0n; time < times && time < MAX_AT_ONCE; time++)
      this.#deliver(relay.index, relay.vector, () => {
        if (!relay.closed) eventfdSignal(relay.theirs);
      });
  }

  close(): void {
    for (const relay of this.#relays) release(relay);
    this.#relays = [];
    this.#proposed.clear();
  }

  /** Undefined for a command that gives or takes no eventfd, or that the server will refuse anyway. */
  #changeOf(frame: Frame): Change | undefined {
    let set: SetIrqs;
    try {
      set = decodeSetIrqs(frame);
    } catch {
      return undefined;
    }
    const { index, start, count, data, action } = set;
    if (action !== 'trigger') return undefined;
    if (data === 'none' && count === 0) return { index, start: 0, end: Number.POSITIVE_INFINITY, relays: [] };
    if (data !== 'eventfd') return undefined;
    const { fds } = frame;
    if (fds.length !== 0 && (fds.length !== count || !fds.every(isEventfd))) return undefined;
    if (this.#relays.length + fds.length > MAX_RELAYS) return undefined;
    const relays = fds.splice(0).map((theirs, offset): Relay => {
      return { index, vector: start + offset, ours: eventfd(), theirs, closed: false };
    });
    // Those in the frame are closed once they are sent.
    fds.push(...relays.map(({ ours }) => dup(ours)));
    return { index, start, end: start + count, relays };
  }

  #settle(change: Change, agreed: boolean): void {
    const goes = (relay: Relay) =>
      agreed
        ? relay.index === change.index &&
          relay.vector >= change.start &&
          relay.vector < change.end &&
          !change.relays.includes(relay)
        : change.relays.includes(relay);
    for (const relay of this.#relays.filter(goes)) {
      // What was signalled before still counts.
      if (agreed) this.forward(relay.ours);
      release(relay);
    }
    this.#relays = this.#relays.filter(({ closed }) => !closed);
  }
}

function release(relay: Relay): void {
  relay.closed = true;
  closeSync(relay.ours);
  closeSync(relay.theirs);
}
