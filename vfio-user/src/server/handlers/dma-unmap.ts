import {
  bitmapBytes,
  DmaUnmapFlag,
  decodeDmaUnmap,
  Errno,
  encodeDmaUnmap,
  protocolError,
} from '../../protocol/index.ts';
import type { Handler } from './handler.ts';

export const dmaUnmap: Handler = (session, frame) => {
  const { dma } = session.server;
  const unmap = decodeDmaUnmap(frame);
  if (unmap.flags === DmaUnmapFlag.ALL) {
    dma.unmapAll();
    return session.put(encodeDmaUnmap({ ...unmap, argsz: 24 }));
  }
  if (!unmap.bitmap) {
    dma.unmap(unmap.address, unmap.size);
    return session.put(encodeDmaUnmap({ ...unmap, argsz: 24 }));
  }
  if (!dma.dirty) throw protocolError('DMA_UNMAP: bitmap asked for, but logging is off');
  const { pageBytes, bytes } = unmap.bitmap;
  const needed = bitmapBytes(unmap.size, pageBytes);
  if (BigInt(needed) !== bytes) throw protocolError(`DMA_UNMAP: bitmap of ${bytes} bytes, ${needed} are right`);
  if (!dma.exact(unmap.address, unmap.size)) throw protocolError('DMA_UNMAP: no such region', Errno.ENOENT);
  const bitmap = dma.dirty.take(unmap.address, unmap.size, Number(pageBytes), needed);
  dma.unmap(unmap.address, unmap.size);
  return session.put(encodeDmaUnmap({ ...unmap, argsz: 40 + needed }, bitmap));
};
