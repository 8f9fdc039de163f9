import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AgentError } from '../errors.ts';
import { LAUNCHER, LAUNCHER_PATH, MANIFEST_PATH, manifest } from './manifest.ts';
import { partitionTable } from './partition.ts';

export interface ExtensionInput {
  /** Node for the guest, x86-64 with glibc, in one piece as nodejs.org gives it; its libraries are taken along. */
  readonly node: string;
  /** `dist/agent`. */
  readonly agent: string;
  /** mock-accel.ko, built against the headers of the guest's kernel; absent where the guest has it. */
  readonly module?: string;
  /** Word list of the driver. */
  readonly wordList?: string;
  /** Command that runs mkfs.erofs. */
  readonly mkfs: readonly [string, ...string[]];
}

const LOADER = '/lib64/ld-linux-x86-64.so.2';
/** Fixed, so that the same input gives the same image. */
const TIMESTAMP = '1754697600';
const UUID = '6b617461-2d6d-4f63-8b2d-657874000001';

/** Builds a Kata guest extension: an EROFS file system in the one partition of an image file. */
export function buildExtension(input: ExtensionInput, image: string): void {
  const work = mkdtempSync(path.join(tmpdir(), 'kata-extension-'));
  try {
    const root = path.join(work, 'root');
    stage(input, root);
    const erofs = path.join(work, 'data.erofs');
    const [program, ...args] = input.mkfs;
    execFileSync(program, [...args, '--quiet', '--all-root', '-T', TIMESTAMP, '-U', UUID, erofs, root]);
    writeFileSync(image, partitionTable(statSync(erofs).size));
    appendFileSync(image, readFileSync(erofs));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function stage(input: ExtensionInput, root: string): void {
  const put = (name: string, text: string, mode = 0o644) => {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
    chmodSync(path.join(root, name), mode);
  };
  put(MANIFEST_PATH, manifest());
  put(LAUNCHER_PATH, LAUNCHER, 0o755);
  const ours = path.join(root, 'usr/lib/kata-mock');
  mkdirSync(path.join(ours, 'lib'), { recursive: true });
  stageNode(input.node, ours);
  cpSync(must(input.agent, 'the agent bundle'), path.join(ours, 'agent'), {
    recursive: true,
    dereference: true,
    // The snapshot is for the Node of our own image.
    filter: (file) => !file.endsWith('.map') && path.basename(file) !== 'snapshot.cjs',
  });
  put('usr/lib/kata-mock/agent/package.json', '{"type":"module"}\n');
  stageKoffi(path.join(ours, 'agent/node_modules'));
  if (input.module) copyInto(must(input.module, 'the driver'), root, 'usr/lib/modules/mock-accel.ko');
  if (input.wordList) copyInto(must(input.wordList, 'the word list'), root, 'usr/lib/firmware/mock-accel-wordlist.txt');
}

/** Node, its loader and every library the loader says it needs, under their own names. */
function stageNode(node: string, target: string): void {
  const listed = execFileSync(must(LOADER, 'the loader'), ['--list', must(node, 'Node')], { encoding: 'utf8' });
  const libraries = [...listed.matchAll(/^\s*(\S+) => (\S+)/gm)].map((match) => ({
    name: match[1] as string,
    file: match[2] as string,
  }));
  if (libraries.some(({ name }) => name.startsWith('libnode'))) {
    const message = `"${node}" is spread over files of its distribution, such as /usr/share/nodejs, that a guest does not have: use one from nodejs.org`;
    throw new AgentError('INVALID_ARGUMENT', message);
  }
  copyFileSync(node, path.join(target, 'node'));
  chmodSync(path.join(target, 'node'), 0o755);
  copyFileSync(realpathSync(LOADER), path.join(target, 'lib', path.basename(LOADER)));
  chmodSync(path.join(target, 'lib', path.basename(LOADER)), 0o755);
  for (const { name, file } of libraries) {
    if (!name.endsWith(path.basename(LOADER))) copyFileSync(realpathSync(file), path.join(target, 'lib', name));
  }
}

/** The one native dependency: its JavaScript and the binary of this architecture, without its sources. */
function stageKoffi(target: string): void {
  const modules = createRequire(import.meta.url)
    .resolve('koffi')
    .split('/koffi/')[0] as string;
  for (const name of ['koffi', '@koromix/koffi-linux-x64']) {
    cpSync(path.join(modules, name), path.join(target, name), {
      recursive: true,
      filter: (file) => !/\.(cc|hh|inc|asm|S|ts|md)$|CMakeLists|\/(vendor|doc|lib)$/.test(file),
    });
  }
}

function copyInto(file: string, root: string, name: string): void {
  mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
  copyFileSync(file, path.join(root, name));
}

function must(file: string, what: string): string {
  if (existsSync(file)) return file;
  throw new AgentError('INVALID_ARGUMENT', `${what} is not at "${file}"`);
}
