import { beforeAll, describe, expect, it } from 'vitest';
import { bothDevices, cdi, first, second } from '../support/devices.ts';
import { output, type SandboxUnderTest, testHost } from '../support/host.ts';

const scope = testHost();
let sandbox: SandboxUnderTest;

const uuids = (text: string) => text.match(/UUID: \S+/g)?.map((line) => line.slice(6));
const READ_ALL = 'for node in /dev/mock*; do echo $node; grep UUID $node; done';

beforeAll(async () => {
  sandbox = await scope.host.sandbox('cdi', bothDevices);
});

describe('a CDI annotation', () => {
  it.each([
    ['index 0', ['0'], [first.uuid]],
    ['index 1', ['1'], [second.uuid]],
    ['UUID', [second.uuid], [second.uuid]],
    ['two names', ['0', '1'], [first.uuid, second.uuid]],
    ['all', ['all'], [first.uuid, second.uuid]],
    ['one device under two names', ['0', first.uuid], [first.uuid]],
  ])('gives devices by %s', async (_, names, expected) => {
    expect(uuids(output(await sandbox.container(READ_ALL, cdi(...names))))).toEqual(expected);
  });

  it.each([
    ['an index', '7'],
    ['a UUID', '99999999-9999-4999-8999-999999999999'],
  ])('with %s that is not there fails at once, naming it and what there is; the sandbox goes on', async (_, name) => {
    const failed = await sandbox.container('echo never', cdi(name));
    expect(failed.status).toBe(1);
    expect(failed.stdout).toBe('');
    expect(failed.stderr).toContain(`kata-mock.dev/accel=${name}`);
    for (const known of ['0', '1', 'all', first.uuid, second.uuid]) expect(failed.stderr).toContain(known);
    // Kata's own agent tries for 100 s.
    expect(failed.ms).toBeLessThan(15_000);
    expect(uuids(output(await sandbox.container(READ_ALL, cdi('0'))))).toEqual([first.uuid]);
  });

  it('that is not well formed is refused before anything starts', async () => {
    const failed = await sandbox.container('echo never', ['--annotation', 'cdi.k8s.io/x=not-a-name']);
    expect([1, 2]).toContain(failed.status);
    expect(failed.stderr).toContain('not-a-name');
  });
});
