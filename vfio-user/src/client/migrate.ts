import { MigrationState } from '../protocol/index.ts';
import type { Client } from './client.ts';

export interface MigrateOptions {
  /** Bytes asked for at once. Default 1 MiB, the most there is. */
  pieceBytes?: number;
  /** How often to ask for what changed before the source is stopped. Default 1. */
  rounds?: number;
  /** The source has stopped already: all moves at once. Default false. */
  stopped?: boolean;
  /** Called before each round, while the source runs. */
  beforeRound?(round: number): unknown;
}

/** Bytes that moved: at first, what changed while the source ran on, and the rest after it stopped. */
export interface MovedBytes {
  initial: number;
  dirty: number;
  rest: number;
}

/**
 * Moves a device's state from one server to another one of the same model and options. The source is stopped
 * afterwards, the target runs. A target that refuses throws REPLY, is reset, and the source runs on.
 */
export function migrate(source: Client, target: Client, options: MigrateOptions = {}): MovedBytes {
  const { pieceBytes = 1 << 20, rounds = 1 } = options;
  const moved: MovedBytes = { initial: 0, dirty: 0, rest: 0 };
  const move = (kind: keyof MovedBytes) => {
    for (let full = true; full; ) {
      const data = source.migDataRead(pieceBytes);
      full = data.length === pieceBytes;
      if (data.length > 0) target.migDataWrite(data);
      moved[kind] += data.length;
    }
  };
  try {
    target.migrationState = MigrationState.RESUMING;
    if (!options.stopped) {
      source.migrationState = MigrationState.PRE_COPY;
      move('initial');
      for (let round = 0; round < rounds; round++) {
        options.beforeRound?.(round);
        move('dirty');
      }
    }
    source.migrationState = MigrationState.STOP_COPY;
    move('rest');
    target.migrationState = MigrationState.RUNNING;
  } catch (error) {
    unlessGone(() => {
      source.migrationState = MigrationState.RUNNING;
    });
    unlessGone(() => target.reset());
    throw error;
  }
  source.migrationState = MigrationState.STOP;
  return moved;
}

/** After a failure: when one side is what failed, the other one is put right all the same. */
function unlessGone(work: () => void): void {
  try {
    work();
  } catch {
    // What went wrong first is told.
  }
}
