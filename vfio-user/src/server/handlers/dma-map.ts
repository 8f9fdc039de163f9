import { closeAll } from '@kata-mock/posix';
import { decodeDmaMap } from '../../protocol/index.ts';
import type { Handler } from './handler.ts';

/** Takes any region a client may offer: ROM without a descriptor, read-only pieces, the device's own BARs. */
export const dmaMap: Handler = ({ server, client }, frame) => {
  const map = decodeDmaMap(frame);
  closeAll(frame.fds.splice(1));
  if (server.dma.map(map, frame.fds[0], client.maxDmaMaps)) frame.fds.shift();
  return 0;
};
