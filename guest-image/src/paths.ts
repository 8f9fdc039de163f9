import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));

/** The checkout. */
export const projectRoot = path.resolve(here, '../..');
/** Everything this program makes; git ignores it, `clean` removes it. */
export const buildDir = path.join(projectRoot, 'build');
/** Files that go into the guest as they are. */
export const guestFiles = path.resolve(here, '../guest');
export const driverSource = path.join(projectRoot, 'kernel-driver');
export const agentBundle = path.join(projectRoot, 'dist/agent');
/** Where the agent is in the guest. */
export const guestAgent = '/usr/lib/kata-mock/agent';
