import type { DeviceServer } from '../server/device-server.ts';
import type { TraceRecord } from '../trace/pcapng.ts';

/** The clock of a replay: it stands at a record of the recording, and the device's timers run as they did then. */
export class RecordedTime {
  /** ms since the first record. */
  now = 0;
  #first: bigint | undefined;

  /** Moves to a record, and runs the timers that ran before it. */
  advance(server: DeviceServer, record: TraceRecord): void {
    this.#first ??= record.time;
    const then = Number(record.time - this.#first) / 1e6;
    if (record.timers === undefined) this.#runDue(server, then);
    else this.#runCounted(server, record.timers);
    this.now = Math.max(this.now, then);
  }

  /** As many as the recording says, each at its time: a timer and a message that came together keep their order. */
  #runCounted(server: DeviceServer, count: number): void {
    const goal = server.timersRun + count;
    while (server.timersRun < goal && !server.timers.isEmpty) this.#runNext(server);
  }

  /** A recording that does not say, such as a proxy's: what is due by its time. */
  #runDue(server: DeviceServer, then: number): void {
    while (server.timers.next <= then) this.#runNext(server);
  }

  #runNext(server: DeviceServer): void {
    this.now = Math.max(this.now, server.timers.next);
    server.runTimers();
  }
}
