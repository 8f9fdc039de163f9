import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Connection } from 'ttrpc-ts';
import { type AgentGuest, SHARED } from '../support/agent-guest.ts';
import { guestProgram } from '../support/guest-program.ts';
import { inFirstNamespace } from './guest-programs.ts';

/** The virtio-serial port a guest needs for {@link vsockConnection}. */
export const RELAY_PORT = 'io.kata-mock.relay';
/** A guest's kernel talks to itself over it, with the module vsock_loopback. */
const VMADDR_CID_LOCAL = 1;

/** A connection to a vsock port inside the guest: hosts that run tests seldom have vsock, a guest has its own. */
export async function vsockConnection(guest: AgentGuest, port: number): Promise<Connection> {
  const folder = path.join(guest.share, 'relay');
  mkdirSync(folder, { recursive: true });
  await build({
    ...guestProgram,
    entryPoints: [fileURLToPath(new URL('./vsock-relay.guest.ts', import.meta.url))],
    outfile: path.join(folder, 'main.mjs'),
  });
  rmSync(path.join(folder, 'node_modules'), { force: true });
  // koffi is where the agent has it.
  symlinkSync('/usr/lib/kata-mock/agent/node_modules', path.join(folder, 'node_modules'));
  const connection = await guest.connectPort(RELAY_PORT);
  const script = `exec /usr/bin/node ${SHARED}/relay/main.mjs ${RELAY_PORT} ${VMADDR_CID_LOCAL} ${port}`;
  const OCI = inFirstNamespace(guest, script);
  await guest.agent.createContainer({ containerId: 'relay', execId: 'relay', OCI });
  await guest.agent.startContainer({ containerId: 'relay' });
  return connection;
}
