import { cp, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { guestAgent, guestFiles, projectRoot } from './paths.ts';
import { NODE_OPTIONS } from './snapshot.ts';

/** What we lay over Debian's files: agent, kernel modules, word list, settings. */
export interface OverlayInput {
  kernelRelease: string;
  /** Folder with the kernel's modules as below /lib/modules/<release>. */
  modules: string;
  /** mock-accel.ko. */
  driver: string;
  /** Folder of the bundled agent. */
  agent: string;
  /** Its start-up snapshot. */
  snapshot: string | undefined;
  /** Word list of the driver's passphrases, and the text that names its licence. */
  wordList: { file: string; licence: string };
}

const AGENT = guestAgent.slice(1);

/** Folders that exist in the image so that something can be mounted or put there. */
const folders = [
  ...['dev', 'proc', 'sys', 'run', 'tmp', 'mnt', 'root', 'home', 'srv', 'opt', 'media', 'boot'],
  ...[
    'var/cache',
    'var/lib',
    'var/log',
    'var/tmp',
    'var/lib/containers',
    'etc/cdi',
    'etc/kata-mock',
    'run/kata-containers',
  ],
];

const links: Record<string, string> = {
  'var/run': '/run',
  'var/lock': '/run/lock',
  'etc/mtab': '/proc/self/mounts',
  'usr/sbin/iptables': 'xtables-nft-multi',
  'usr/sbin/iptables-save': 'xtables-nft-multi',
  'usr/sbin/iptables-restore': 'xtables-nft-multi',
  'usr/sbin/ip6tables': 'xtables-nft-multi',
  'usr/sbin/ip6tables-save': 'xtables-nft-multi',
  'usr/sbin/ip6tables-restore': 'xtables-nft-multi',
};

/** busybox commands a debug console and tests like to have. */
const applets = [
  ...[
    'sh',
    'ash',
    'cat',
    'cp',
    'dd',
    'df',
    'dmesg',
    'echo',
    'env',
    'find',
    'free',
    'grep',
    'head',
    'hexdump',
    'id',
    'kill',
  ],
  ...['ln', 'ls', 'mkdir', 'mknod', 'mount', 'mv', 'poweroff', 'ps', 'readlink', 'rm', 'rmdir', 'sed', 'sleep', 'sort'],
  ...['stat', 'sync', 'tail', 'test', 'top', 'touch', 'tr', 'umount', 'uname', 'wc', 'xargs'],
];

const files: Record<string, string> = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
  'etc/group': 'root:x:0:\ntty:x:5:\nkvm:x:106:\nnogroup:x:65534:\n',
  'etc/hosts': '127.0.0.1 localhost\n::1 localhost ip6-localhost\n',
  'etc/hostname': 'kata-mock\n',
  'etc/resolv.conf': '',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
};

/** Makes the overlay in an empty folder. Modules still need depmod. */
export async function writeOverlay(folder: string, input: OverlayInput): Promise<void> {
  const at = (name: string) => path.join(folder, name);
  for (const name of [...folders, 'usr/sbin', 'usr/bin', 'usr/lib/firmware', AGENT]) {
    await mkdir(at(name), { recursive: true });
  }
  for (const [name, text] of Object.entries(files)) await writeFile(at(name), text);
  for (const [name, target] of Object.entries(links)) await symlink(target, at(name));
  for (const name of applets) await symlink('busybox', at(`usr/bin/${name}`));
  await cp(path.join(guestFiles, 'init'), at('usr/sbin/init'));

  const modules = at(`usr/lib/modules/${input.kernelRelease}`);
  await cp(input.modules, modules, { recursive: true });
  await mkdir(path.join(modules, 'updates'));
  await cp(input.driver, path.join(modules, 'updates/mock-accel.ko'));

  await cp(input.wordList.file, at('usr/lib/firmware/mock-accel-wordlist.txt'));
  await cp(input.wordList.licence, at('usr/lib/firmware/mock-accel-wordlist.LICENSE'));
  await writeAgent(input.agent, at(AGENT));
  await writeFile(path.join(at(AGENT), 'node-options'), `${NODE_OPTIONS.join(' ')}\n`);
  if (input.snapshot) await cp(input.snapshot, path.join(at(AGENT), 'agent.blob'));
}

async function writeAgent(agentBundle: string, folder: string): Promise<void> {
  for (const name of await readdir(agentBundle)) {
    // Source maps are for people, and the snapshot's source is in the snapshot: nothing in the guest reads them.
    if (!/\.map$|^snapshot\.cjs$/.test(name))
      await cp(path.join(agentBundle, name), path.join(folder, name), { recursive: true });
  }
  await writeFile(path.join(folder, 'package.json'), '{"type":"module"}\n');
  await writeKoffi(path.join(folder, 'node_modules/koffi'));
}

/**
 * koffi without its own loader, which looks for the right one of many native modules: three quarters of the time it takes
 * to load, and here there is one.
 */
async function writeKoffi(folder: string): Promise<void> {
  const modules = path.join(projectRoot, 'node_modules');
  await mkdir(folder, { recursive: true });
  await cp(path.join(modules, 'koffi/LICENSE.txt'), path.join(folder, 'LICENSE.txt'));
  await cp(path.join(modules, '@koromix/koffi-linux-x64/linux_x64/koffi.node'), path.join(folder, 'koffi.node'));
  await writeFile(path.join(folder, 'index.cjs'), "module.exports = require('./koffi.node');\n");
  await writeFile(path.join(folder, 'package.json'), '{"name":"koffi","main":"index.cjs"}\n');
}
