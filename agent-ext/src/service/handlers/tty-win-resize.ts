import type { Method } from '../method.ts';

export const ttyWinResize: Method<'ttyWinResize'> =
  (agent) =>
  ({ containerId, execId, row, column }) => {
    agent.sandbox
      .get(containerId)
      .process(execId)
      .io.resize(row & 0xffff, column & 0xffff);
    return {};
  };
