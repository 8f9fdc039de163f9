import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { artefacts } from '../support/artefacts.ts';

const MIB = 1024 * 1024;

/** Disk images of a test, and the arguments that plug them into a guest. */
export class Disks {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'km-disks-'));

  /** A disk with nothing but a text at its start. */
  marked(name: string, text: string): string {
    const file = this.#blank(name, 1);
    writeFileSync(file, text, { flag: 'r+' });
    return file;
  }

  /** A disk of 16 MiB with an ext file system that uses the first half. */
  halfUsed(name: string): string {
    const file = this.#blank(name, 16);
    busybox('mke2fs', '-F', '-b', '1024', file, `${8 * 1024}`);
    return file;
  }

  swap(name: string): string {
    const file = this.#blank(name, 4);
    busybox('mkswap', file);
    return file;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  #blank(name: string, size: number): string {
    const file = path.join(this.folder, name);
    writeFileSync(file, '');
    truncateSync(file, size * MIB);
    return file;
  }
}

/** Arguments for a drive that a device names as `drive=<id>`. */
export function drive(id: string, file: string): string[] {
  return ['-drive', `if=none,id=${id},file=${file},format=raw,cache=unsafe`];
}

function busybox(...args: string[]): void {
  execFileSync(path.join(artefacts().rootfs, 'bin/busybox'), args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
