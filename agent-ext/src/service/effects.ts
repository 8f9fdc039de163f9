import type { AgentService } from '@kata-mock/contracts';

/** A method that has no handler, and why a shim can live with that. */
interface Refusal {
  readonly unimplemented: string;
}

/**
 * What each call does here, in the order of the protocol; docs/agent.md has it as a table, and a test compares both with
 * the handlers there are.
 */
export const effects: Readonly<Record<keyof typeof AgentService.method, string | Refusal>> = {
  createContainer:
    'devices, environment, CDI, storages, namespaces, hooks, then `runc create`; all of it undone on failure',
  startContainer: '`runc start`',
  removeContainer: 'ends what runs; takes away cgroup, mounts, bundle',
  execProcess: '`runc exec`, with the address map of its container',
  signalProcess: 'one process, or all of the container with an empty exec id',
  waitProcess: 'blocks; any number of callers, late ones too',
  updateContainer: '`runc update`; device rules are ignored',
  updateEphemeralMounts: 'remounts memory volumes with their new size, all of them or none; their other flags stay',
  statsContainer: 'cgroup version 2, and the network devices of the sandbox',
  pauseContainer: '`runc pause`',
  resumeContainer: '`runc resume`',
  removeStaleVirtiofsShareMounts: 'makes guest and file server let go of what the host has removed',
  writeStdin: 'returns when the kernel has the bytes',
  readStdout: 'blocks for data; the end is an error with code INTERNAL',
  readStderr: 'the same; with a terminal there is none',
  closeStdin: 'closes the pipe; a terminal stays open',
  ttyWinResize: 'size of the terminal',
  updateInterface:
    'name, addresses, MTU and flags of the card with that hardware address; a card that has the name gets its name for it; on failure names, states and addresses are as before',
  updateRoutes: 'the wanted routes, and no other but the kernel’s, of whatever metric',
  listInterfaces: 'by `ip`',
  listRoutes: 'by `ip`',
  addARPNeighbors: 'by `ip`',
  getIPTables: '`iptables-save`, `ip6tables-save`; UNIMPLEMENTED without them',
  setIPTables: '`iptables-restore`, `ip6tables-restore`; UNIMPLEMENTED without them',
  getMetrics: 'agent and guest in Prometheus\u2019 text form',
  memAgentMemcgSet: { unimplemented: 'no memory agent; shims send it only when one is configured' },
  memAgentCompactSet: { unimplemented: 'no memory agent; shims send it only when one is configured' },
  createSandbox: 'kernel modules, storages, resolv.conf, host name',
  destroySandbox: 'removes all, then ends; as the first program powers off',
  onlineCPUMem: 'brings plugged processors and memory online; waits up to 5 s for processors that were promised',
  reseedRandomDev: 'mixes the bytes in and reseeds',
  getGuestDetails: 'version, device types, storage drivers, memory blocks, mock devices',
  memHotplugByProbe: 'tells the kernel the addresses; UNIMPLEMENTED on kernels without `memory/probe`, as on x86',
  setGuestDateTime: 'the clock, by `date` or busybox',
  copyFile:
    'files in pieces, directories, links; a file appears when it is whole; directories above it that are missing get `dir_mode` and belong to root',
  getOOMEvent: 'blocks until a container meets its memory limit',
  addSwap: 'swaps to the virtio disk at a PCI path, by `swapon` or busybox',
  addSwapPath: 'swaps to a node below /dev',
  getVolumeStats: 'bytes and inodes by statfs',
  resizeVolume: 'ext2 to ext4 by the kernel, xfs by `xfs_growfs`; any other is UNIMPLEMENTED',
  setPolicy: {
    unimplemented: 'no policy engine, and none must be pretended; shims send it only with a policy annotation',
  },
  getDiagnosticData: 'Kata 4.1: `termination_log`, at most 4 KiB; any other type is INVALID_ARGUMENT',
};
