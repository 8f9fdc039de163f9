/** A set-up clone without QEMU, virtiofsd or images, for tests that run the real `kata-mock` command. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const tsx = fileURLToPath(import.meta.resolve('tsx'));
const node = [process.execPath, '--import', tsx, '--conditions=@kata-mock/source', '--no-warnings'];
const source = (name: string) => fileURLToPath(new URL(name, import.meta.url));

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export class FakeHost {
  readonly dir = mkdtempSync(path.join(tmpdir(), 'km-'));
  readonly runDir = path.join(this.dir, 'run');
  readonly rootfs = path.join(this.dir, 'rootfs');
  readonly callsFile = path.join(this.dir, 'calls');

  constructor() {
    mkdirSync(this.rootfs);
    writeFileSync(path.join(this.rootfs, 'marker'), 'untouched');
    this.#script('wrapper', `exec ${node.map(quote).join(' ')} ${quote(source('./fake-vmm.ts'))} "$@"`);
    this.#script('virtiofsd', 'exec sleep 1000');
    this.#script('qemu', 'exit 1');
    for (const name of ['kernel', 'initrd', 'root']) writeFileSync(path.join(this.dir, name), '');
    this.artefacts({});
  }

  /** Rewrites artefacts.json; `change` spoils it. */
  artefacts(change: Record<string, unknown>): void {
    const good = {
      version: 1,
      qemu: { path: 'qemu', version: '0', source: 'private' },
      virtiofsd: { path: 'virtiofsd' },
      kernel: 'kernel',
      initrd: 'initrd',
      rootImage: 'root',
      rootfs: 'rootfs',
      wrapper: 'wrapper',
    };
    writeFileSync(path.join(this.dir, 'artefacts.json'), JSON.stringify({ ...good, ...change }));
  }

  /** Starts `kata-mock`; `vmm` spoils the fake VMM. */
  start(args: string[], vmm: object = {}): ChildProcess {
    const [command, ...rest] = [...node, source('../cli/main.ts'), ...args] as [string, ...string[]];
    const env = {
      ...process.env,
      KATA_MOCK_RUN_DIR: this.runDir,
      KATA_MOCK_ARTEFACTS: path.join(this.dir, 'artefacts.json'),
      KATA_MOCK_CONFIG: path.join(this.dir, 'config.toml'),
      FAKE_VMM: JSON.stringify({ calls: this.callsFile, ...vmm }),
    };
    return spawn(command, rest, { env, cwd: this.dir, stdio: ['pipe', 'pipe', 'pipe'] });
  }

  async run(args: string[], options: { vmm?: object; stdin?: string } = {}): Promise<Finished> {
    const child = this.start(args, options.vmm);
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.stdin ?? '');
    return finished(child);
  }

  /** Calls the agent got so far. */
  calls(): string[] {
    try {
      return readFileSync(this.callsFile, 'utf8').trim().split('\n');
    } catch {
      return [];
    }
  }

  remove(): void {
    rmSync(this.dir, { recursive: true });
  }

  #script(name: string, body: string): void {
    const file = path.join(this.dir, name);
    writeFileSync(file, `#!/bin/sh\n${body}\n`);
    chmodSync(file, 0o755);
  }
}

export async function finished(child: ChildProcess): Promise<Finished> {
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, stdout, stderr };
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
