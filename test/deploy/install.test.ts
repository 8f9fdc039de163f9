import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { program, root } from '../support/paths.ts';

const KATA = '[hypervisor.qemu]\npath = "/opt/kata/bin/qemu-system-x86_64"\nimage = "/opt/kata/kata.img"\n';
let node: string;

const file = (name: string, text?: string) => {
  const at = path.join(node, name);
  if (text !== undefined) {
    mkdirSync(path.dirname(at), { recursive: true });
    writeFileSync(at, text);
  }
  return at;
};
const read = (name: string) => readFileSync(file(name), 'utf8');
const files = () =>
  readdirSync(node, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(node, path.join(entry.parentPath, entry.name)))
    .sort();
const install = (...args: string[]) =>
  spawnSync('sh', [path.join(root, 'deploy/install.sh'), '--root', node, ...args], { encoding: 'utf8' });

beforeEach(() => {
  node = mkdtempSync(path.join(tmpdir(), 'node-'));
  file('opt/kata/share/defaults/kata-containers/configuration-qemu.toml', KATA);
});
afterEach(() => rmSync(node, { recursive: true }));

describe('install.sh', () => {
  it('puts everything in place, twice with the same result, and takes it away again', () => {
    const before = files();
    const { status, stderr } = install('--runtime', 'containerd');
    expect([status, stderr]).toEqual([0, '']);
    const after = files();
    expect(after.filter((name) => !before.includes(name))).toEqual([
      'etc/cdi/kata-mock.json',
      'etc/containerd/conf.d/kata-mock.toml',
      'etc/kata-containers/kata-mock/config.d/10-kata-mock.toml',
      'etc/kata-containers/kata-mock/configuration.toml',
      'etc/kata-mock/config.toml',
      'opt/kata-mock/bin/kata-mock-qemu',
      'opt/kata-mock/share/initrd',
      'opt/kata-mock/share/vmlinux',
    ]);
    expect(readlinkSync(file('opt/kata-mock/bin/kata-mock-qemu'))).toBe(
      path.join(root, 'runtime-hook/wrapper/kata-mock-qemu'),
    );
    expect(readFileSync(file('opt/kata-mock/share/vmlinux')).subarray(0, 4).toString('latin1')).toBe('\x7fELF');
    expect(read('etc/kata-containers/kata-mock/configuration.toml')).toBe(KATA);

    expect(install('--runtime', 'containerd').status).toBe(0);
    expect(files()).toEqual(after);
    install('--uninstall');
    expect(files()).toEqual([...before, 'etc/kata-mock/config.toml'].sort());
  });

  it('writes a CDI spec that our CDI library finds nothing wrong with', () => {
    install('--runtime', 'none', '--devices', '3');
    const directories = ['--spec-dirs', file('etc/cdi')];
    const validated = spawnSync(program('cdi'), [...directories, 'validate'], { encoding: 'utf8' });
    expect([validated.status, validated.stderr]).toEqual([0, '']);
    const listed = spawnSync(program('cdi'), [...directories, 'devices'], { encoding: 'utf8' });
    for (const name of ['0', '1', '2', 'all']) expect(listed.stdout).toContain(`kata-mock.dev/accel=${name}`);
  });

  it('appends to a main file of version 2 once, whatever is in it, and removes only that', () => {
    const main = 'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\nsandbox_image = "example.org/pause:3"\n';
    file('etc/containerd/config.toml', main);
    expect(install('--runtime', 'containerd').stdout).toMatch(/todo .* enable_cdi = true/);
    install('--runtime', 'containerd');
    const text = read('etc/containerd/config.toml');
    expect(text.startsWith(main)).toBe(true);
    expect(text.match(/runtimes\.kata-mock\]/g)).toHaveLength(1);
    install('--uninstall');
    expect(read('etc/containerd/config.toml')).toBe(main);
  });

  it('leaves a configuration of the hook alone', () => {
    file('etc/kata-mock/config.toml', '# mine\n');
    expect(install('--runtime', 'none').stdout).toMatch(/kept .*config.toml/);
    expect(read('etc/kata-mock/config.toml')).toBe('# mine\n');
  });

  it('says what is wrong and changes nothing', () => {
    const before = files();
    const wrong: [string[], number, RegExp][] = [
      [['--runtime', 'docker'], 2, /"docker" is not containerd, crio or none/],
      [['--bogus'], 2, /there is no option "--bogus"/],
      [['--runtime'], 2, /--runtime needs a value/],
      [['--kata-config', '/nonexistent'], 1, /there is no Kata configuration at "\/nonexistent"/],
      [['--kata-config', file('empty.toml', '')], 1, /has no section \[hypervisor.qemu\]/],
    ];
    for (const [args, status, message] of wrong) {
      const result = install(...args);
      expect([args, result.status]).toEqual([args, status]);
      expect(result.stderr).toMatch(message);
    }
    expect(files()).toEqual([...before, 'empty.toml'].sort());
  });
});
