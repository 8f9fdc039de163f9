import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { processIdentity } from '../vm/process/identity.ts';
import { madeUpAddresses } from './addresses.ts';
import type { Lease } from './lease.ts';
import { Leases } from './leases.ts';

const root = mkdtempSync(path.join(tmpdir(), 'kata-mock-leases-'));
afterAll(() => rmSync(root, { recursive: true }));
let runs = 0;
const newRunDirectory = () => {
  const directory = path.join(root, String(runs++));
  mkdirSync(directory);
  return directory;
};
const mine: Lease = { owner: processIdentity(process.pid) ?? { pid: 0, startTime: '' }, sandboxId: 'mine' };
const dead: Lease = { owner: { pid: process.pid, startTime: '1' }, sandboxId: 'dead' };
const plant = (runDirectory: string, address: string, text: string) => {
  mkdirSync(path.join(runDirectory, 'leases'), { recursive: true });
  writeFileSync(path.join(runDirectory, 'leases', address), text);
};

const firstAddresses = (count: number) => [...madeUpAddresses()].slice(0, count);

describe('leases', () => {
  test('are the lowest free addresses', async () => {
    const leases = new Leases(newRunDirectory());
    expect(await leases.acquire(2, mine)).toEqual(['ac00:00:00.0', 'ac00:00:01.0']);
    expect(await leases.acquire(1, mine, ['ac00:00:02.0'])).toEqual(['ac00:00:03.0']);
    leases.release(['ac00:00:00.0']);
    expect(await leases.acquire(2, mine)).toEqual(['ac00:00:00.0', 'ac00:00:02.0']);
  });

  test('leave no trace when none is asked for, and nothing but themselves otherwise', async () => {
    const runDirectory = newRunDirectory();
    await new Leases(runDirectory).acquire(0, mine);
    expect(readdirSync(runDirectory)).toEqual([]);
    await new Leases(runDirectory).acquire(1, mine);
    expect(readdirSync(path.join(runDirectory, 'leases'))).toEqual(['ac00:00:00.0']);
  });

  test('of dead owners, and files that are no leases, are taken over', async () => {
    const runDirectory = newRunDirectory();
    plant(runDirectory, 'ac00:00:00.0', JSON.stringify(dead));
    plant(runDirectory, 'ac00:00:01.0', 'not a lease');
    plant(runDirectory, 'ac00:00:02.0', JSON.stringify(mine));
    const leases = new Leases(runDirectory);
    expect(await leases.acquire(3, mine)).toEqual(['ac00:00:00.0', 'ac00:00:01.0', 'ac00:00:03.0']);
    expect(leases.list().every(({ alive }) => alive)).toBe(true);
  });

  test('that run out are all given back', async () => {
    const runDirectory = newRunDirectory();
    const leases = new Leases(runDirectory);
    const few = () => firstAddresses(3);
    await leases.acquire(1, mine, [], few());
    await expect(leases.acquire(3, mine, [], few())).rejects.toThrow('only 2 of 3 host addresses are free');
    expect(leases.list().map(({ address }) => address)).toEqual(['ac00:00:00.0']);
  });

  test('of dead owners are pruned, those of living ones stay', async () => {
    const runDirectory = newRunDirectory();
    plant(runDirectory, 'ac00:00:00.0', JSON.stringify(dead));
    plant(runDirectory, 'ac00:00:01.0', JSON.stringify(mine));
    plant(runDirectory, '.draft-4194305-0', 'left by a process that cannot exist');
    const leases = new Leases(runDirectory);
    expect(await leases.prune()).toEqual(['ac00:00:00.0']);
    expect(leases.list().map(({ address }) => address)).toEqual(['ac00:00:01.0']);
    expect(await new Leases(path.join(runDirectory, 'missing')).prune()).toEqual([]);
  });
});

describe('processes that compete for leases', () => {
  const racer = path.join(import.meta.dirname, 'racer.testing.ts');
  const start = (runDirectory: string, count: number, rounds: number) =>
    spawn(
      process.execPath,
      ['--import', 'tsx', '--conditions=@kata-mock/source', racer, runDirectory, String(count), String(rounds)],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
  const firstLine = (child: ChildProcess) =>
    new Promise<string[]>((resolve, reject) => {
      let text = '';
      child.stdout?.on('data', (chunk: Buffer) => {
        text += chunk;
        if (text.includes('\n')) resolve(JSON.parse(text));
      });
      child.once('exit', (code) => reject(new Error(`racer ended with ${code}`)));
    });
  const ended = (child: ChildProcess) => new Promise((resolve) => child.once('exit', resolve));

  test('never get the same address, also while they take over those of dead ones', async () => {
    const runDirectory = newRunDirectory();
    for (const address of firstAddresses(6)) plant(runDirectory, address, JSON.stringify(dead));
    const children = Array.from({ length: 4 }, () => start(runDirectory, 5, 40));
    const got = (await Promise.all(children.map(firstLine))).flat();
    expect(new Set(got).size).toBe(20);
    expect(new Leases(runDirectory).list().filter(({ alive }) => alive)).toHaveLength(20);

    // What they leave when they are killed belongs to whoever comes next.
    const ends = children.map(ended);
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(ends);
    expect(await new Leases(runDirectory).acquire(20, mine)).toEqual(firstAddresses(20));
  }, 20_000);
});
