import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { directory, put, spec } from '../../test-support/directories.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
const node = ['--import', 'tsx', '--conditions=@kata-mock/source', main];
const dir = () => directory({ 'a.json': spec(['d']) });

describe('the program', () => {
  it('reads stdin and writes stdout', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [...node, '-d', dir(), 'inject', '-', 'vendor.com/device=d'],
      { input: '{"ociVersion":"1.2.0"}', encoding: 'utf8' },
    );
    expect([status, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual({ ociVersion: '1.2.0', process: { env: ['DEVICE_d=1'] } });
  });

  it('ends quietly when nobody reads on, and loses nothing when somebody does', () => {
    const names = Array.from({ length: 20_000 }, (_, index) => `device-number-${index}`);
    const many = directory({ 'a.json': spec(names) });
    const run = (rest: string) =>
      spawnSync('sh', ['-c', `"$@" | ${rest}`, 'sh', process.execPath, ...node, '-d', many, 'devices'], {
        encoding: 'utf8',
        maxBuffer: 10_000_000,
      });
    expect(run('head -n 1')).toMatchObject({ stdout: 'vendor.com/device=device-number-0\n', stderr: '' });
    expect(run('wc -l').stdout.trim()).toBe('20000');
  });

  it('monitors until it is told to end, and then ends well', async () => {
    const watched = dir();
    const child = spawn(process.execPath, [...node, '-d', watched, 'monitor', 'devices']);
    let said = '';
    for await (const chunk of child.stderr) {
      said += chunk;
      if (said.includes('watching')) break;
    }
    put(watched, 'b.json', spec(['late'], { kind: 'late.com/c' }));
    let told = '';
    for await (const chunk of child.stdout) {
      told += chunk;
      if (told.includes('late')) break;
    }
    expect(told).toBe('+ devices vendor.com/device=d\n+ devices late.com/c=late\n');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
