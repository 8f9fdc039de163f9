import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'smol-toml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { debianProgram } from '../support/debian-program.ts';
import { root } from '../support/paths.ts';

const append = path.join(root, 'deploy/containerd/config-v2-append.toml');
const dropIn = path.join(root, 'deploy/containerd/config-v3-import.toml');
const handler = {
  runtime_type: 'io.containerd.kata-mock.v2',
  runtime_path: '/opt/kata/bin/containerd-shim-kata-v2',
  privileged_without_host_devices: true,
  pod_annotations: ['io.katacontainers.*', 'io.kata-mock/*', 'cdi.k8s.io/*'],
  container_annotations: ['io.katacontainers.*', 'io.kata-mock/*', 'cdi.k8s.io/*'],
  options: { ConfigPath: '/etc/kata-containers/kata-mock/configuration.toml' },
};
/** What a node's own main file may say and must not lose. */
const own = (table: string) => `
[plugins."${table}".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."${table}".containerd.runtimes.runc.options]
SystemdCgroup = true
`;

type Table = Record<string, unknown>;
const at = (value: unknown, ...keys: string[]) => keys.reduce((inner, key) => (inner as Table)?.[key], value);

const directory = mkdtempSync(path.join(tmpdir(), 'containerd-'));
let containerd: string;
let major: number;

beforeAll(() => {
  containerd = debianProgram('containerd', 'containerd');
  const version = execFileSync(containerd, ['--version'], { encoding: 'utf8' });
  major = Number(/ v?(\d+)\./.exec(version)?.[1]);
  console.log(`asking ${version.trim()}`);
});
afterAll(() => rmSync(directory, { recursive: true }));

/** The configuration as containerd understands it: every key that it knows, with its default. */
function dump(text: string): { config: Table; complaints: string } {
  const file = path.join(directory, 'config.toml');
  writeFileSync(file, text);
  const { stdout, stderr, status } = spawnSync(containerd, ['--config', file, 'config', 'dump'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`containerd refused the file: ${stderr}`);
  return { config: parse(stdout) as Table, complaints: stderr };
}

const criTable = () => (major >= 2 ? 'io.containerd.cri.v1.runtime' : 'io.containerd.grpc.v1.cri');
const runtimes = (config: Table) => at(config, 'plugins', criTable(), 'containerd', 'runtimes');

describe('the handler for a main file of version 2', () => {
  it('is understood by containerd, appended, and takes nothing from the main file', () => {
    const main = `version = 2\n${own('io.containerd.grpc.v1.cri')}${readFileSync(append, 'utf8')}`;
    const { config, complaints } = dump(main);
    expect(runtimes(config)).toMatchObject({ 'kata-mock': handler, runc: { options: { SystemdCgroup: true } } });
    expect(complaints).not.toMatch(/unknown key|strict mode|invalid/i);
  });

  it('would take the main file’s CRI section with it as an import of containerd 1.x, which is why it is appended', () => {
    const imported = path.join(directory, 'imported.toml');
    writeFileSync(imported, `version = 2\n${readFileSync(append, 'utf8')}`);
    const { config } = dump(`version = 2\nimports = ["${imported}"]\n${own('io.containerd.grpc.v1.cri')}`);
    expect(at(runtimes(config), 'kata-mock')).toMatchObject(handler);
    // containerd 2 merges.
    expect(at(runtimes(config), 'runc', 'options', 'SystemdCgroup') ?? false).toBe(major >= 2);
  });
});

describe('the handler for a main file of version 3', () => {
  it('is understood by containerd 2, imported, and takes nothing from the main file', (context) => {
    if (major < 2) {
      const reason = `containerd ${major}.x of this Debian does not read version 3`;
      console.log(`skipped: ${reason}`);
      context.skip(reason);
    }
    const main = `version = 3\nimports = ["${dropIn}"]\n${own('io.containerd.cri.v1.runtime')}`;
    const { config, complaints } = dump(main);
    expect(runtimes(config)).toMatchObject({ 'kata-mock': handler, runc: { options: { SystemdCgroup: true } } });
    expect(complaints).not.toMatch(/unknown key|strict mode|invalid/i);
  });

  it('says the same as the one for version 2', () => {
    const three = parse(readFileSync(dropIn, 'utf8'));
    const two = parse(readFileSync(append, 'utf8'));
    expect(three['version']).toBe(3);
    expect(at(three, 'plugins', 'io.containerd.cri.v1.runtime', 'containerd')).toEqual(
      at(two, 'plugins', 'io.containerd.grpc.v1.cri', 'containerd'),
    );
    expect(at(two, 'plugins', 'io.containerd.grpc.v1.cri', 'containerd', 'runtimes', 'kata-mock')).toEqual(handler);
  });
});
