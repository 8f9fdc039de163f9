import { decodeMigData, encodeMigData, MAX_DATA_XFER_BYTES, protocolError } from '../../protocol/index.ts';
import type { Handler } from './handler.ts';

export const migDataRead: Handler = (session, frame) => {
  const { size } = decodeMigData(frame, 'MIG_DATA_READ');
  const limit = Math.min(session.client.maxDataXferBytes, MAX_DATA_XFER_BYTES);
  if (size > limit) throw protocolError(`MIG_DATA_READ: ${size} bytes, ${limit} were agreed on`);
  const data = session.server.migration.read(size);
  return session.put(encodeMigData(data.length, data));
};

export const migDataWrite: Handler = (session, frame) => {
  const { size, data } = decodeMigData(frame, 'MIG_DATA_WRITE');
  const limit = Math.min(session.client.maxDataXferBytes, MAX_DATA_XFER_BYTES);
  if (size > limit) throw protocolError(`MIG_DATA_WRITE: ${size} bytes, ${limit} were agreed on`);
  session.server.migration.write(data);
  return 0;
};
