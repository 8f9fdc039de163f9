import {
  checkWriteMulti,
  HEADER_BYTES,
  u64Number,
  WRITE_MULTI_ENTRY_BYTES,
  WRITE_MULTI_HEAD_BYTES,
} from '../../protocol/index.ts';
import type { Handler } from './handler.ts';
import { regionOf } from './region-access.ts';

/** Carries out the writes in order and tells how many were; stops at the first that is refused. */
export const writeMulti: Handler = (session, frame) => {
  const count = checkWriteMulti(frame);
  const { view } = frame;
  let done = 0;
  try {
    for (; done < count; done++) {
      const at = frame.start + WRITE_MULTI_HEAD_BYTES + done * WRITE_MULTI_ENTRY_BYTES;
      const offset = u64Number(view, at);
      const bytes = view.getUint32(at + 12, true);
      regionOf(session, view.getUint32(at + 8, true), offset, bytes).write(offset, frame.bytes, at + 16, bytes);
    }
  } catch (error) {
    if (done === 0) throw error;
    session.server.refused(frame.command, error);
  }
  session.replyView.setBigUint64(HEADER_BYTES, BigInt(done), true);
  return 8;
};
