import type { AgentService } from '@kata-mock/contracts';
import type { Handlers } from 'ttrpc-ts';
import type { Agent } from '../agent.ts';
import { copyFile } from './handlers/copy-file.ts';
import { createContainer } from './handlers/create-container.ts';
import { createSandbox } from './handlers/create-sandbox.ts';
import { destroySandbox } from './handlers/destroy-sandbox.ts';
import { execProcess } from './handlers/exec-process.ts';
import { getDiagnosticData } from './handlers/get-diagnostic-data.ts';
import { getGuestDetails } from './handlers/get-guest-details.ts';
import { getOOMEvent } from './handlers/get-oom-event.ts';
import { getIPTables, setIPTables } from './handlers/iptables.ts';
import { getMetrics, memHotplugByProbe, reseedRandomDev, setGuestDateTime } from './handlers/machine.ts';
import { addARPNeighbors, listInterfaces, listRoutes, updateInterface, updateRoutes } from './handlers/network.ts';
import { onlineCPUMem } from './handlers/online-cpu-mem.ts';
import { pauseContainer, resumeContainer } from './handlers/pause-resume.ts';
import { removeContainer } from './handlers/remove-container.ts';
import { removeStaleVirtiofsShareMounts } from './handlers/remove-stale-mounts.ts';
import { signalProcess } from './handlers/signal-process.ts';
import { startContainer } from './handlers/start-container.ts';
import { statsContainer } from './handlers/stats-container.ts';
import { closeStdin, readStderr, readStdout, writeStdin } from './handlers/streams.ts';
import { addSwap, addSwapPath } from './handlers/swap.ts';
import { ttyWinResize } from './handlers/tty-win-resize.ts';
import { updateContainer } from './handlers/update-container.ts';
import { updateEphemeralMounts } from './handlers/update-ephemeral-mounts.ts';
import { getVolumeStats, resizeVolume } from './handlers/volumes.ts';
import { waitProcess } from './handlers/wait-process.ts';

const methods = {
  createSandbox,
  destroySandbox,
  getGuestDetails,
  onlineCPUMem,
  createContainer,
  startContainer,
  execProcess,
  waitProcess,
  signalProcess,
  readStdout,
  readStderr,
  writeStdin,
  closeStdin,
  ttyWinResize,
  statsContainer,
  updateContainer,
  pauseContainer,
  resumeContainer,
  removeContainer,
  getOOMEvent,
  updateEphemeralMounts,
  removeStaleVirtiofsShareMounts,
  updateInterface,
  updateRoutes,
  listInterfaces,
  listRoutes,
  addARPNeighbors,
  getIPTables,
  setIPTables,
  copyFile,
  getVolumeStats,
  resizeVolume,
  addSwap,
  addSwapPath,
  reseedRandomDev,
  setGuestDateTime,
  memHotplugByProbe,
  getMetrics,
  getDiagnosticData,
};

/** The handlers of one agent. A method that is not here answers UNIMPLEMENTED by name; `effects.ts` says why. */
export function agentHandlers(agent: Agent): Handlers<typeof AgentService> {
  return Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, method(agent)]));
}
