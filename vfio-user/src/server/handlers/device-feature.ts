import {
  bitmapBytes,
  decodeFeature,
  decodeLoggingReport,
  decodeLoggingStart,
  Errno,
  encodeFeature,
  encodeLoggingReport,
  FEATURE_BYTES,
  Feature,
  FeatureFlag,
  type FeatureRequest,
  LOGGING_REPORT_BYTES,
  MigrationFlag,
  newPayload,
  payloadOf,
  protocolError,
  requireBytes,
  viewOf,
} from '../../protocol/index.ts';
import { DirtyLog } from '../dirty-log.ts';
import type { Session } from '../session.ts';
import type { Handler } from './handler.ts';

interface FeatureHandler {
  /** Returns the data of the reply. */
  get?(session: Session, request: FeatureRequest): Uint8Array;
  set?(session: Session, request: FeatureRequest): void;
}

const features: Record<number, FeatureHandler> = {
  [Feature.MIGRATION]: {
    get: () => {
      const { bytes, view } = newPayload(8);
      view.setBigUint64(0, BigInt(MigrationFlag.STOP_COPY | MigrationFlag.PRE_COPY), true);
      return bytes;
    },
  },
  [Feature.MIG_DEVICE_STATE]: {
    get: ({ server }) => {
      const { bytes, view } = newPayload(8);
      view.setUint32(0, server.migration.state, true);
      return bytes;
    },
    set: ({ server }, { data }) => {
      requireBytes(payloadOf(data), 8, 'MIG_DEVICE_STATE');
      server.migration.moveTo(viewOf(data).getUint32(0, true));
    },
  },
  [Feature.DMA_LOGGING_START]: {
    set: ({ server }, { data }) => {
      const { pageBytes } = decodeLoggingStart(payloadOf(data));
      const { dirty } = server.dma;
      if (dirty && dirty.pageBytes !== pageBytes)
        throw protocolError(`DMA_LOGGING_START: logging runs with pages of ${dirty.pageBytes} bytes`);
      server.dma.dirty ??= new DirtyLog(pageBytes);
    },
  },
  [Feature.DMA_LOGGING_STOP]: {
    set: ({ server }) => {
      server.dma.dirty = undefined;
    },
  },
  [Feature.DMA_LOGGING_REPORT]: { get: loggingReport },
};

export const deviceFeature: Handler = (session, frame) => {
  const request = decodeFeature(frame);
  const feature = session.server.migration.supported ? features[request.feature] : undefined;
  if (!feature) throw protocolError(`DEVICE_FEATURE: no feature ${request.feature}`);
  if ((request.get && !feature.get) || (request.set && !feature.set))
    throw protocolError(`DEVICE_FEATURE: feature ${request.feature} lacks that operation`);
  if (request.argsz < FEATURE_BYTES + (request.get && !request.probe ? 0 : request.data.length))
    throw protocolError(`DEVICE_FEATURE: argsz ${request.argsz} is less than the reply`);
  const echo = encodeFeature(request.feature, operations(request), request.data, request.argsz);
  if (request.probe) return session.put(echo);
  if (request.get === request.set) throw protocolError('DEVICE_FEATURE: not exactly one of GET, SET, PROBE');
  if (request.get) {
    const reply = encodeFeature(request.feature, operations(request), feature.get!(session, request));
    if (request.argsz < reply.length)
      throw protocolError(`DEVICE_FEATURE: argsz ${request.argsz}, ${reply.length} needed`);
    return session.put(reply);
  }
  feature.set!(session, request);
  return session.put(echo);
};

function operations(request: FeatureRequest): number {
  return (
    (request.get ? FeatureFlag.GET : 0) | (request.set ? FeatureFlag.SET : 0) | (request.probe ? FeatureFlag.PROBE : 0)
  );
}

function loggingReport({ server }: Session, { data, argsz }: FeatureRequest): Uint8Array {
  const { dma } = server;
  const report = decodeLoggingReport(payloadOf(data));
  if (!dma.dirty) throw protocolError('DMA_LOGGING_REPORT: logging is off');
  const pageBytes = Math.min(report.pageBytes, Number.MAX_SAFE_INTEGER);
  const bytes = bitmapBytes(report.size, BigInt(pageBytes));
  if (argsz < FEATURE_BYTES + LOGGING_REPORT_BYTES + bytes)
    throw protocolError(`DMA_LOGGING_REPORT: argsz ${argsz} leaves no room for ${bytes} bytes of bitmap`);
  // A part of one does too: the bitmap of a large region does not fit one message.
  const region = dma.containing(report.address, report.size);
  if (!region) {
    const inside = dma.regions.some((one) => one.address < report.address + report.size && one.end > report.address);
    throw protocolError('DMA_LOGGING_REPORT: not inside one region', inside ? Errno.ENOTSUP : Errno.ENOENT);
  }
  if (region.mode === 'message') throw protocolError('DMA_LOGGING_REPORT: the region has no descriptor');
  return encodeLoggingReport(report, dma.dirty.take(report.address, report.size, pageBytes, bytes));
}
