import {
  Command,
  decodeRegionAccess,
  decodeWriteMulti,
  type Frame,
  HeaderFlag,
  REGION_ACCESS_BYTES,
} from '../protocol/index.ts';
import type { Occasion } from './matcher.ts';

/** One access of a command, as rules look at it. */
export interface Access {
  occasion: Occasion;
  /** What a write brings, where it is in the message; empty for all else. */
  data: Uint8Array;
}

const NO_DATA = new Uint8Array(0);
/** Commands other than accesses, or what is too short to be one, meet only rules without conditions on the access. */
const OTHER: readonly Access[] = [{ occasion: {}, data: NO_DATA }];

/** The accesses of a command: one, or for REGION_WRITE_MULTI each of its writes. */
export function accessesOf(frame: Frame): readonly Access[] {
  if ((frame.flags & HeaderFlag.TYPE_MASK) !== HeaderFlag.TYPE_COMMAND) return OTHER;
  if (frame.command === Command.REGION_WRITE_MULTI) return manyOf(frame);
  const read = frame.command === Command.REGION_READ;
  if ((!read && frame.command !== Command.REGION_WRITE) || frame.length < REGION_ACCESS_BYTES) return OTHER;
  const occasion: Occasion = { access: read ? 'read' : 'write', ...decodeRegionAccess(frame) };
  const data = frame.bytes.subarray(frame.start + REGION_ACCESS_BYTES, frame.start + frame.length);
  return [{ occasion, data: read ? NO_DATA : data }];
}

function manyOf(frame: Frame): readonly Access[] {
  try {
    return decodeWriteMulti(frame).map(({ offset, region, data }) => ({
      occasion: { access: 'write', region, offset, count: data.length },
      data,
    }));
  } catch {
    // The server will say what is wrong with it.
    return OTHER;
  }
}
