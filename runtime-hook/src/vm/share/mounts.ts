/**
 * The mounts behind virtio-fs. They live in a mount namespace of the calling thread, so nothing on the host sees
 * them and they end with the processes in it, by kill -9 too: no crash leaves a mount over a user's tree.
 *
 * Layout below the share's tmpfs, after Kata's: the host writes in `mounts/`; virtiofsd serves `shared/`, the same
 * directory bound read-only, so a guest cannot plant a symbolic link where the host mounts next. Mounts below
 * `mounts/` propagate to `shared/` and into virtiofsd's namespace.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import {
  CLONE_NEWNS,
  MNT_DETACH,
  MS_BIND,
  MS_MOVE,
  MS_NODEV,
  MS_NOSUID,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_REMOUNT,
  MS_SHARED,
  MS_SLAVE,
  mount,
  UMOUNT_NOFOLLOW,
  umount2,
  unshare,
} from '@kata-mock/posix';
import type { RootfsMode } from './protocol.ts';

/** Directory virtiofsd serves. */
export function servedDirectory(share: string): string {
  return path.join(share, 'shared');
}

export class ShareMounts {
  readonly #dir: string;
  /** Each layer has a directory of its own: an old one may still be in use when its container's name comes again. */
  #layers = 0;
  /** Mount points of each container besides its root. */
  readonly #binds = new Map<string, string[]>();

  /** @param sizeBytes how much memory the containers' writes may take */
  constructor(dir: string, sizeBytes: number) {
    this.#dir = dir;
    unshare(CLONE_NEWNS);
    // The host's later mounts and unmounts reach us, ours never reach the host.
    mount('none', '/', '', MS_SLAVE | MS_REC);
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    mount('kata-mock', dir, 'tmpfs', MS_NOSUID | MS_NODEV, `mode=0700,size=${sizeBytes}`);
    for (const name of ['mounts', 'shared', 'writes', 'staging']) mkdirSync(path.join(dir, name), { mode: 0o755 });
    // A bind's flags are set by a second call, which does not propagate: binds are made in a private place and moved.
    mount('kata-mock', this.#staging, 'tmpfs', MS_NOSUID | MS_NODEV, 'mode=0700,size=64k');
    mount('none', this.#staging, '', MS_PRIVATE);
    writeFileSync(path.join(this.#staging, 'file'), '');
    mkdirSync(path.join(this.#staging, 'directory'));
    mount('none', dir, '', MS_SHARED);
    // In the same peer group as `mounts`, so that what is mounted there shows up here.
    mount(path.join(dir, 'mounts'), servedDirectory(dir), '', MS_BIND);
    mount('none', servedDirectory(dir), '', MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | MS_RDONLY);
  }

  addRootfs(containerId: string, source: string, mode: RootfsMode): void {
    const target = path.join(this.#container(containerId), 'rootfs');
    mkdirSync(this.#container(containerId), { mode: 0o755 });
    mkdirSync(target, { mode: 0o755 });
    if (mode === 'bind') this.#bind(source, target, { readonly: false, recursive: false });
    else this.#overlay(containerId, source, target);
  }

  addBind(containerId: string, name: string, source: string, options: { readonly: boolean; recursive: boolean }): void {
    const target = path.join(this.#dir, 'mounts', name);
    if (statSync(source).isDirectory()) mkdirSync(target, { mode: 0o755 });
    else writeFileSync(target, '', { flag: 'wx' });
    this.#binds.set(containerId, [...(this.#binds.get(containerId) ?? []), target]);
    this.#bind(source, target, options);
  }

  /** Unmounts first and removes only what is then an empty directory or our own empty file. */
  remove(containerId: string): void {
    for (const target of this.#binds.get(containerId) ?? []) {
      detach(target);
      if (statSync(target).isDirectory()) rmdirSync(target);
      else unlinkSync(target);
    }
    this.#binds.delete(containerId);
    const container = this.#container(containerId);
    if (!existsSync(container)) return;
    detach(path.join(container, 'rootfs'));
    rmdirSync(path.join(container, 'rootfs'));
    rmdirSync(container);
    this.#dropLayers(containerId);
  }

  /** Writes land in our tmpfs; the lower tree is named by descriptor, since overlay's options have no room for every path. */
  #overlay(containerId: string, source: string, target: string): void {
    const writes = path.join(this.#dir, 'writes', `${containerId}.${this.#layers++}`);
    const upper = path.join(writes, 'upper');
    const work = path.join(writes, 'work');
    mkdirSync(upper, { recursive: true, mode: 0o755 });
    mkdirSync(work, { mode: 0o700 });
    const lower = openSync(source, 'r');
    try {
      const options = `lowerdir=/proc/self/fd/${lower},upperdir=${upper},workdir=${work}`;
      mount('kata-mock', target, 'overlay', MS_NOSUID | MS_NODEV, options);
    } finally {
      closeSync(lower);
    }
  }

  /** What a container wrote. A guest can make trees that are hard to remove; those go with the sandbox. */
  #dropLayers(containerId: string): void {
    const writes = path.join(this.#dir, 'writes');
    for (const name of readdirSync(writes)) {
      if (!name.startsWith(`${containerId}.`)) continue;
      try {
        rmSync(path.join(writes, name), { recursive: true });
      } catch {
        // It is in memory of this sandbox only, and bounded.
      }
    }
  }

  #bind(source: string, target: string, options: { readonly: boolean; recursive: boolean }): void {
    const stage = path.join(this.#staging, statSync(target).isDirectory() ? 'directory' : 'file');
    mount(source, stage, '', MS_BIND | (options.recursive ? MS_REC : 0));
    try {
      mount('none', stage, '', MS_PRIVATE);
      mount('none', stage, '', MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | (options.readonly ? MS_RDONLY : 0));
      mount(stage, target, '', MS_MOVE);
    } catch (error) {
      detach(stage);
      throw error;
    }
  }

  get #staging(): string {
    return path.join(this.#dir, 'staging');
  }

  #container(containerId: string): string {
    return path.join(this.#dir, 'mounts', containerId);
  }
}

function detach(target: string): void {
  try {
    umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW);
  } catch (error) {
    // EINVAL: not a mount point (a mount that failed half way).
    if ((error as { code?: string }).code !== 'EINVAL') throw error;
  }
}
