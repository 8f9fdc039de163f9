import { existsSync } from 'node:fs';
import path from 'node:path';
import { FakeTree } from '@kata-mock/pci/testing';
import { expect, test } from 'vitest';
import { TreeGuest } from './tree-guest.ts';
import { waitFor } from './wait.ts';

/** Beyond a test's own patience: at the end of a wait everything is looked at once more. */
const LONG_MS = 60_000;

const late = (arrives: 'late' | 'twice' | 'silent') => {
  const tree = new FakeTree({ roots: [{ bus: '00', functions: [{ at: '03.0', arrives }] }] });
  const look = () => (existsSync(path.join(tree.sysfs, 'devices/pci0000:00/0000:00:03.0')) ? 'there' : undefined);
  // Only what comes without an event may be found by looking again.
  const guest = new TreeGuest(tree, 'x86_64', arrives === 'silent' ? undefined : Number.POSITIVE_INFINITY);
  return { tree, guest, look };
};

test('what is there already needs no event and no time', async () => {
  const { tree, guest, look } = late('late');
  tree.arrive();
  expect(await waitFor(guest, look, { timeoutMs: 0 })).toBe('there');
  tree.remove();
});

test.each([
  ['late', 'by its event'],
  ['twice', 'by its event'],
  ['silent', 'by looking again'],
] as const)('what comes %s is found %s', async (arrives, _) => {
  const { tree, guest, look } = late(arrives);
  const waiting = waitFor(guest, look, { timeoutMs: LONG_MS });
  tree.arrive();
  expect(await waiting).toBe('there');
  tree.remove();
});

test('what never comes is undefined after the timeout', async () => {
  const { tree, guest, look } = late('late');
  expect(await waitFor(guest, look, { timeoutMs: 20 })).toBeUndefined();
  tree.remove();
});

test('an error counts as not yet, and is what the caller gets in the end', async () => {
  const { tree, guest } = late('late');
  const look = () => {
    throw new Error('no bus');
  };
  await expect(waitFor(guest, look, { timeoutMs: 20 })).rejects.toThrow('no bus');
  tree.remove();
});

test('an aborted wait ends at once', async () => {
  const { tree, guest, look } = late('late');
  const controller = new AbortController();
  const waiting = waitFor(guest, look, { timeoutMs: 60_000, signal: controller.signal });
  controller.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  tree.remove();
});
