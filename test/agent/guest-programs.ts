import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { type AgentGuest, SHARED } from '../support/agent-guest.ts';
import { type SpecInit, spec } from './containers.ts';

const PLACES = ['bin', 'sbin', 'lib', 'lib64', 'usr', 'etc', 'proc', 'sys', 'dev', 'run', 'tmp'];
const PROGRAMS = ['bin', 'sbin', 'lib', 'lib64'];

/** Enough to work in the guest itself: mounts, modules, another's namespaces. */
const CAPABILITIES = ['SYS_ADMIN', 'SYS_MODULE', 'SYS_PTRACE', 'SYS_CHROOT', 'DAC_OVERRIDE', 'NET_ADMIN'];

/**
 * A container in which the guest's own programs run, Node among them, with its devices and mounts. runc cannot take / as
 * a root, so all of that comes by binds.
 */
export function onGuestRoot(guest: AgentGuest, args: string[]): SpecInit {
  for (const name of PLACES) mkdirSync(path.join(guest.share, 'service', name), { recursive: true });
  const OCI = spec(args, { Linux: { Resources: { Devices: [{ Allow: true, Access: 'rwm' }] } } as never });
  const bind = (source: string, destination = source) => ({
    destination,
    source,
    type: 'bind',
    options: ['rbind', 'rw'],
  });
  OCI.Root = { Path: `${SHARED}/service` };
  OCI.Mounts = [
    ...['/proc', '/sys', '/dev', '/run', '/tmp', '/etc', '/usr'].map((place) => bind(place)),
    ...PROGRAMS.map((name) => bind(`/usr/${name}`, `/${name}`)),
  ];
  return OCI;
}

/** A shell script in the mount namespace of the guest's first program, as a service of the guest would run it. */
export function inFirstNamespace(guest: AgentGuest, script: string): SpecInit {
  const enter = ['/usr/bin/busybox', 'nsenter', '-m/proc/1/ns/mnt', '/bin/sh', '-c', script];
  const OCI = onGuestRoot(guest, enter);
  const all = CAPABILITIES.map((name) => `CAP_${name}`);
  const Capabilities = { Bounding: all, Effective: all, Permitted: all };
  return { ...OCI, Process: { ...OCI.Process, Env: ['PATH=/usr/sbin:/usr/bin'], Capabilities } as never };
}
