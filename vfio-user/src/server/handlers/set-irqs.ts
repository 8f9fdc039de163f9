import { decodeSetIrqs } from '../../protocol/index.ts';
import type { Handler } from './handler.ts';

export const setIrqs: Handler = ({ server }, frame) => {
  server.irqs.set(decodeSetIrqs(frame), frame.fds);
  return 0;
};
