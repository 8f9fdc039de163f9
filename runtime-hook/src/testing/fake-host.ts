/** A set-up clone without QEMU, virtiofsd or images, for tests that run the real `kata-mock` command. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { isAlive, type ProcessIdentity } from '../vm/process/identity.ts';

const source = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Bundles the command and the fake VMM once a test file: sources through a loader would start ten times slower. */
export async function bundlePrograms(): Promise<string> {
  const outdir = mkdtempSync(path.join(tmpdir(), 'km-bin-'));
  await build({
    entryPoints: [
      { in: source('../cli/main.ts'), out: 'main' },
      { in: source('../vm/share/share.worker.ts'), out: 'share.worker' },
      { in: source('./fake-vmm.ts'), out: 'fake-vmm' },
    ],
    outdir,
    bundle: true,
    minify: true,
    keepNames: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    conditions: ['@kata-mock/source'],
    external: ['koffi'],
    logLevel: 'error',
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
  writeFileSync(path.join(outdir, 'package.json'), '{"type": "module"}');
  symlinkSync(source('../../../node_modules'), path.join(outdir, 'node_modules'));
  return outdir;
}

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

  readonly #programs: string;

  /** @param programs what bundlePrograms() answered */
  constructor(programs: string) {
    this.#programs = programs;
    mkdirSync(this.rootfs);
    writeFileSync(path.join(this.rootfs, 'marker'), 'untouched');
    this.#script('wrapper', `exec ${quote(process.execPath)} ${quote(path.join(programs, 'fake-vmm.js'))} "$@"`);
    this.#script('virtiofsd', 'case $1 in --version) echo virtiofsd 0; exit;; esac; exec sleep 1000');
    this.#script('qemu', 'exit 1');
    for (const name of ['kernel', 'initrd', 'root']) writeFileSync(path.join(this.dir, name), '');
    writeFileSync(path.join(this.dir, 'config.toml'), '');
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

  /** What makes the command use this host. */
  get environment(): Record<string, string> {
    return {
      KATA_MOCK_RUN_DIR: this.runDir,
      KATA_MOCK_ARTEFACTS: path.join(this.dir, 'artefacts.json'),
      KATA_MOCK_CONFIG: path.join(this.dir, 'config.toml'),
    };
  }

  /** Starts `kata-mock`; `vmm` spoils the fake VMM. */
  start(args: string[], vmm: object = {}): ChildProcess {
    const env = {
      ...process.env,
      ...this.environment,
      FAKE_VMM: JSON.stringify({ calls: this.callsFile, ...vmm }),
    };
    return spawn(process.execPath, [path.join(this.#programs, 'main.js'), ...args], {
      env,
      cwd: this.dir,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
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

  /** Resolves once the agent has got such a call. */
  reached(call: string): Promise<void> {
    return this.until(() => this.calls().includes(call));
  }

  /** Resolves once none of the processes is left. */
  gone(identities: (ProcessIdentity | undefined)[]): Promise<void> {
    return this.until(() => !identities.some((identity) => identity && isAlive(identity)));
  }

  /** For what tells nobody: a file that grows, another's process that ends. Vitest's timeout is the limit. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await delay(pollMs);
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

/** Resolves once the child has printed the text on stdout. */
export function printed(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = '';
    child.stdout?.on('data', (chunk) => {
      seen += chunk;
      if (seen.includes(text)) resolve();
    });
    child.once('close', () => reject(new Error(`it ended before it printed ${JSON.stringify(text)}`)));
  });
}

const pollMs = 5;

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
