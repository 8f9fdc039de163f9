import type { Handler } from './handler.ts';

/** Power-on values; guest memory, eventfds and the connection stay. */
export const deviceReset: Handler = ({ server }) => {
  server.reset('command');
  return 0;
};
