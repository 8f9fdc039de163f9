import {
  decodeIoFdsRequest,
  encodeIoFds,
  type IoFd,
  IoFdType,
  ioFdsReplyBytes,
  NO_FD,
  PCI_REGIONS,
  protocolError,
} from '../../protocol/index.ts';
import { requireReply } from '../reply-descriptors.ts';
import type { Handler } from './handler.ts';

const DATAMATCH = 1;

export const regionIoFds: Handler = (session, frame) => {
  requireReply(frame, 'DEVICE_GET_REGION_IO_FDS');
  const { argsz, index } = decodeIoFdsRequest(frame);
  const region = index < PCI_REGIONS ? session.server.device.regions[index] : undefined;
  if (!region || region.size === 0) throw protocolError(`DEVICE_GET_REGION_IO_FDS: region ${index} does not exist`);
  const fds: number[] = [];
  const indexOf = (fd: number | undefined) => {
    if (fd === undefined || fd < 0) return NO_FD;
    if (!fds.includes(fd)) fds.push(fd);
    return fds.indexOf(fd);
  };
  const entries = (region.ioFds ?? []).map((entry): IoFd => {
    return {
      offset: BigInt(entry.offset),
      size: BigInt(entry.size),
      type: entry.shadow ? IoFdType.SHADOW : IoFdType.IOEVENTFD,
      flags: entry.datamatch === undefined ? 0 : DATAMATCH,
      fdIndex: indexOf(entry.fd),
      shadowFdIndex: entry.shadow ? indexOf(entry.shadow.fd) : NO_FD,
      shadowOffset: BigInt(entry.shadow?.offset ?? 0),
      datamatch: entry.datamatch ?? 0n,
    };
  });
  const fits = argsz >= ioFdsReplyBytes(entries.length);
  if (fits && fds.length > session.client.maxMsgFds)
    throw protocolError(
      `DEVICE_GET_REGION_IO_FDS: ${fds.length} descriptors, the client takes ${session.client.maxMsgFds}`,
    );
  if (fits) session.replyDescriptors.lend(fds);
  return session.put(encodeIoFds(index, entries, argsz));
};
