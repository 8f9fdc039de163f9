import type { DmaTable } from './dma-table.ts';
import type { IrqTable } from './irq-table.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
/** Fields go beside the message; a text that a guest can cause is rate limited by the caller. */
export type Log = (level: LogLevel, message: string, fields?: Record<string, unknown>) => void;

/** What a device can do beyond answering accesses. */
export interface Bus {
  /** Guest memory. Where the client gave no descriptor it works inside a {@link task} only. */
  readonly dma: DmaTable;
  readonly irqs: IrqTable;
  readonly log: Log;
  /**
   * Runs `work` after the current command is answered; the one place where DMA by messages may wait for its reply. After
   * a reset, a stop or the end of bus mastering `work` reaches no guest memory any more.
   */
  task(work: () => void): void;
  /** So many random bytes. A trace keeps them, so that a replay has the same. */
  random(bytes: number): Uint8Array;
  /** Runs `work` once, `delayMs` from now, between two messages. Returns what cancels it. */
  after(delayMs: number, work: () => void): () => void;
}
