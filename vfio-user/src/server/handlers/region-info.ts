import {
  decodeRegionInfoRequest,
  encodeRegionInfo,
  PCI_REGIONS,
  protocolError,
  RegionFlag,
} from '../../protocol/index.ts';
import { requireReply } from '../reply-descriptors.ts';
import type { Handler } from './handler.ts';

export const regionInfo: Handler = (session, frame) => {
  requireReply(frame, 'DEVICE_GET_REGION_INFO');
  const { argsz, index } = decodeRegionInfoRequest(frame);
  if (index >= PCI_REGIONS) throw protocolError(`DEVICE_GET_REGION_INFO: region ${index}`);
  const region = session.server.device.regions[index];
  if (!region || region.size === 0)
    return session.put(encodeRegionInfo({ flags: 0, index, size: 0n, offset: 0n }, argsz));
  let flags = 0;
  if (region.readable !== false) flags |= RegionFlag.READ;
  if (region.writable !== false) flags |= RegionFlag.WRITE;
  // Without its descriptor nobody can map it.
  const memory = session.client.maxMsgFds > 0 ? region.memory : undefined;
  if (memory) flags |= RegionFlag.MMAP;
  const info = { flags, index, size: BigInt(region.size), offset: BigInt(memory?.offset ?? 0), areas: memory?.areas };
  const payload = encodeRegionInfo(info, argsz);
  // The descriptor comes only with the whole answer: a client that asks again would get, and leak, a second one.
  if (memory && (memory.areas.length === 0 || payload.length > 32)) session.replyDescriptors.lend([memory.fd]);
  return session.put(payload);
};
