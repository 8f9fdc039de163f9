import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let clone = '';
const at = (name: string) => path.join(clone, name);

/** A clone with the script and programs that stand for Debian's. */
beforeEach(() => {
  clone = mkdtempSync(path.join(os.tmpdir(), 'km-packages-'));
  for (const folder of ['guest-image', 'bin']) mkdirSync(at(folder));
  copyFileSync(path.resolve(import.meta.dirname, '../install-packages.sh'), at('guest-image/install-packages.sh'));
  writeFileSync(at('guest-image/packages'), '# remark\npresent is there\n\nabsent is wanted\n');
  program('dpkg-query', 'for name; do :; done; [ "$name" = present ] && printf installed');
  program(
    'apt-get',
    'echo "$@" >>"$APT_LOG"; case "$*" in update*) exit 0 ;; esac; [ ! -e "$APT_FAIL" ] || { rm "$APT_FAIL"; exit 100; }',
  );
  program('id', 'echo 0');
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

function program(name: string, text: string): void {
  writeFileSync(at(`bin/${name}`), `#!/bin/sh\n${text}\n`);
  chmodSync(at(`bin/${name}`), 0o755);
}

function install(...args: string[]) {
  const env = { PATH: `${at('bin')}:${process.env['PATH']}`, APT_LOG: at('apt.log'), APT_FAIL: at('fail') };
  return spawnSync('sh', [at('guest-image/install-packages.sh'), ...args], { env, encoding: 'utf8' });
}
const aptCalls = () => (existsSync(at('apt.log')) ? readFileSync(at('apt.log'), 'utf8').trim().split('\n') : []);

describe('install-packages.sh', () => {
  it('says what is missing and why, installs it and records it', () => {
    const { status, stderr } = install();
    expect(status).toBe(0);
    expect(stderr).toContain('missing: absent (is wanted)');
    expect(aptCalls()).toEqual(['install -y -q --no-install-recommends --no-remove absent']);
    expect(readFileSync(at('build/installed-packages'), 'utf8')).toBe('absent\n');
  });

  it('updates the package lists only when an install failed without', () => {
    writeFileSync(at('fail'), '');
    expect(install().status).toBe(0);
    expect(aptCalls().map((call) => call.split(' ')[0])).toEqual(['install', 'update', 'install']);
  });

  it('only reports with --check', () => {
    const { status, stderr } = install('--check');
    expect(status).toBe(1);
    expect(stderr).toContain('apt-get install --no-install-recommends absent');
    expect(aptCalls()).toEqual([]);
  });

  it('does nothing when nothing is missing', () => {
    writeFileSync(at('guest-image/packages'), 'present is there\n');
    expect(install()).toMatchObject({ status: 0, stderr: '' });
    expect(aptCalls()).toEqual([]);
  });

  it('asks for root instead of failing in apt', () => {
    program('id', 'echo 1000');
    expect(install()).toMatchObject({ status: 1, stderr: expect.stringContaining('sudo') });
  });
});

it('gives every package of the list a reason', () => {
  const list = readFileSync(path.resolve(import.meta.dirname, '../packages'), 'utf8');
  const lines = list.split('\n').filter((line) => line && !line.startsWith('#'));
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) expect(line).toMatch(/^[a-z0-9][a-z0-9+.-]+ \S.*$/);
});
