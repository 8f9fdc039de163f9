import type { Method } from '../method.ts';

/** More is never given at once, whatever the caller asks: one answer must fit a message. */
const MOST_BYTES = 1024 * 1024;

export const readStdout: Method<'readStdout'> =
  (agent) =>
  async ({ containerId, execId, len }, { signal }) => {
    const { io } = agent.sandbox.known(containerId).process(execId);
    return { data: await io.readStdout(Math.min(len || MOST_BYTES, MOST_BYTES), signal) };
  };

export const readStderr: Method<'readStderr'> =
  (agent) =>
  async ({ containerId, execId, len }, { signal }) => {
    const { io } = agent.sandbox.known(containerId).process(execId);
    return { data: await io.readStderr(Math.min(len || MOST_BYTES, MOST_BYTES), signal) };
  };

export const writeStdin: Method<'writeStdin'> =
  (agent) =>
  async ({ containerId, execId, data }) => {
    return { len: await agent.sandbox.get(containerId).process(execId).io.write(data) };
  };

export const closeStdin: Method<'closeStdin'> =
  (agent) =>
  ({ containerId, execId }) => {
    agent.sandbox.get(containerId).process(execId).io.closeStdin();
    return {};
  };
