import {
  type Frame,
  HEADER_BYTES,
  MAX_DATA_XFER_BYTES,
  protocolError,
  REGION_ACCESS_BYTES,
  requireBytes,
  u64Number,
} from '../../protocol/index.ts';
import type { Region } from '../device.ts';
import type { Session } from '../session.ts';
import type { Handler } from './handler.ts';

const DATA_AT = HEADER_BYTES + REGION_ACCESS_BYTES;

/** The hot path: nothing is allocated here. */
export const regionRead: Handler = (session, frame) => {
  requireBytes(frame, REGION_ACCESS_BYTES, 'REGION_READ');
  const { view, start } = frame;
  const offset = u64Number(view, start);
  const count = view.getUint32(start + 12, true);
  if (count > session.client.maxDataXferBytes)
    throw protocolError(`REGION_READ: ${count} bytes, the client takes ${session.client.maxDataXferBytes}`);
  const region = regionOf(session, view.getUint32(start + 8, true), offset, count);
  echo(session, frame);
  if (count > 0) region.read(offset, session.reply, DATA_AT, count);
  return REGION_ACCESS_BYTES + count;
};

export const regionWrite: Handler = (session, frame) => {
  requireBytes(frame, REGION_ACCESS_BYTES, 'REGION_WRITE');
  const { view, start } = frame;
  const offset = u64Number(view, start);
  const count = view.getUint32(start + 12, true);
  if (frame.length - REGION_ACCESS_BYTES !== count)
    throw protocolError(`REGION_WRITE: ${frame.length - REGION_ACCESS_BYTES} bytes of data, count says ${count}`);
  const region = regionOf(session, view.getUint32(start + 8, true), offset, count);
  if (count > 0) region.write(offset, frame.bytes, start + REGION_ACCESS_BYTES, count);
  echo(session, frame);
  return REGION_ACCESS_BYTES;
};

/** Copies the fixed part to the reply; a loop of words is cheaper than making a window to copy. */
function echo({ replyView }: Session, { view, start }: Frame): void {
  for (let at = 0; at < REGION_ACCESS_BYTES; at += 4)
    replyView.setUint32(HEADER_BYTES + at, view.getUint32(start + at, true), true);
}

/** The region of an access that lies inside it; EINVAL for any other. */
export function regionOf(session: Session, index: number, offset: number, count: number): Region {
  const region = session.server.device.regions[index];
  if (region === undefined) throw protocolError(`region ${index} does not exist`);
  if (count > MAX_DATA_XFER_BYTES) throw protocolError(`region access of ${count} bytes, 1 MiB at most`);
  if (offset + count > region.size)
    throw protocolError(`region ${index}: access of ${count} bytes at ${offset}, the region has ${region.size}`);
  return region;
}
