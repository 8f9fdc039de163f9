import { closeSync } from 'node:fs';
import { type Connection, connect } from 'ttrpc-ts';
import type { AgentTransport } from '../qemu/arguments.ts';
import type { SandboxPaths } from '../sandbox/paths.ts';
import { dial } from './dial.ts';
import { findProgram } from './find-program.ts';
import { reserveVsock } from './vhost-vsock.ts';

/** The agent's vsock port, Kata's. */
export const agentPort = 1024;

/** How the agent will be reached: decided before QEMU starts, connected once it runs. */
export interface TransportPlan {
  transport: AgentTransport;
  /** Why the better ones are not used, for `check` and the log. */
  passedOver: string[];
  /** Descriptor QEMU inherits, for vhost-vsock. */
  fd?: number;
  /** Program to run beside QEMU, for hybrid vsock. */
  helper?: { command: string; args: string[] };
  connect(signal: AbortSignal): Promise<Connection>;
  /** Closes our copy of the descriptor once QEMU has its own. */
  handedOver(): void;
}

/** vhost-vsock, else hybrid vsock, else one virtio-serial port; see design of the transports in docs. */
export function planTransport(paths: SandboxPaths, qemuFd: number): TransportPlan {
  const vsock = reserveVsock();
  if ('reservation' in vsock) {
    const { cid, fd } = vsock.reservation;
    return {
      transport: { kind: 'vsock', cid, vhostFd: qemuFd },
      passedOver: [],
      fd,
      connect: (signal) => dial(() => connect(`vsock://${cid}:${agentPort}`), signal),
      handedOver: () => closeSync(fd),
    };
  }
  const program = findProgram('vhost-device-vsock');
  if (program !== undefined) return hybrid(paths, program, [vsock.reason]);
  const passedOver = [vsock.reason, 'vhost-device-vsock is not installed'];
  return {
    transport: { kind: 'serial', socketPath: paths.port },
    passedOver,
    // What is written before the guest opens its port waits in QEMU, so one attempt is enough.
    connect: () => connect(`unix://${paths.port}`),
    handedOver: () => {},
  };
}

function hybrid(paths: SandboxPaths, command: string, passedOver: string[]): TransportPlan {
  // The CID only has to be unique within this VM's own device.
  const cid = 3;
  return {
    transport: { kind: 'hybrid-vsock', cid, socketPath: paths.port },
    passedOver,
    helper: { command, args: ['--vm', `guest-cid=${cid},socket=${paths.port},uds-path=${paths.hybrid}`] },
    connect: (signal) => dial(() => connect(`hvsock://${paths.hybrid}:${agentPort}`), signal),
    handedOver: () => {},
  };
}
