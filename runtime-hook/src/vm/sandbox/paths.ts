import path from 'node:path';
import { KataMockError } from '../../errors.ts';

/** Files of one `kata-mock run`, all below its own directory (mode 0700). */
export interface SandboxPaths {
  name: string;
  dir: string;
  /** Working directory of QEMU; its config.json is what the hook reads. */
  bundle: string;
  /** What `ps` and `inspect` read. */
  state: string;
  /** The owner's: JSON lines, for `inspect`, `run --sandbox` and a polite stop. */
  control: string;
  /** The owner's: the agent's ttrpc, for `exec` and `run --sandbox`. */
  agent: string;
  qmp: string;
  console: string;
  /** QEMU's end of the virtio-serial port, or the socket of vhost-device-vsock. */
  port: string;
  /** Hybrid vsock: connect here and write `CONNECT <port>`. */
  hybrid: string;
  fs: string;
  /** Mount point of the share's own tmpfs; only the share's mount namespace sees what is in it. */
  share: string;
  pidFile: string;
  logs: string;
}

/** Longest path of a unix socket (sockaddr_un.sun_path with its NUL, in bytes). */
const maxSocketPath = 107;
const namePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,47}$/;

export function sandboxesDirectory(runDir: string): string {
  return path.join(runDir, 'sandboxes');
}

export function isName(name: string): boolean {
  return namePattern.test(name);
}

/** Refuses a name that could leave the directory or make a socket path too long. */
export function checkName(name: string, what = 'name'): string {
  if (isName(name)) return name;
  throw new KataMockError('USAGE', `${what} ${JSON.stringify(name)} is not allowed`, {
    hint: 'use 1 to 48 letters, digits, ".", "_" or "-", the first a letter or digit',
  });
}

export function sandboxPaths(runDir: string, name: string): SandboxPaths {
  const dir = path.join(sandboxesDirectory(runDir), checkName(name, 'sandbox name'));
  const file = (leaf: string) => path.join(dir, leaf);
  const paths: SandboxPaths = {
    name,
    dir,
    bundle: file('bundle'),
    state: file('state.json'),
    control: file('control.sock'),
    agent: file('agent.sock'),
    qmp: file('qmp.sock'),
    console: file('console.sock'),
    port: file('port.sock'),
    hybrid: file('vsock.sock'),
    fs: file('fs.sock'),
    share: file('share'),
    pidFile: file('qemu.pid'),
    logs: file('logs'),
  };
  const longest = Buffer.byteLength(paths.control);
  if (longest > maxSocketPath) {
    throw new KataMockError('USAGE', `${paths.control} has ${longest} bytes; a unix socket takes ${maxSocketPath}`, {
      hint: 'choose a shorter --name or KATA_MOCK_RUN_DIR',
    });
  }
  return paths;
}
