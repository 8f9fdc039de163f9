import { describe, expect, it } from 'vitest';
import { directory, spec } from '../../test-support/directories.ts';
import { CdiError } from '../errors.ts';
import { Cache } from './cache.ts';

function failure(files: Record<string, string | object>, ...names: string[]): CdiError {
  const cache = new Cache({ specDirs: [directory(files)], autoRefresh: false });
  try {
    cache.injectDevices({ ociVersion: '1.2.0' }, names);
  } catch (error) {
    if (error instanceof CdiError) return error;
    throw error;
  }
  return expect.unreachable() as never;
}

const gpus = spec(['gpu0', 'gpu1', 'all'], { kind: 'nvidia.com/gpu' });

describe('devices that cannot be resolved', () => {
  it('are all named, in the words of the reference', () => {
    const error = failure({ 'a.json': gpus }, 'nvidia.com/gpu=gpu0', 'v/c=b', 'v/c=a');
    expect(error).toMatchObject({ code: 'UNRESOLVED', devices: ['v/c=b', 'v/c=a'] });
    expect(error.message).toContain('unresolvable CDI devices v/c=b, v/c=a');
  });

  it('of a kind that is present: the devices that are, and the likely one', () => {
    const [entry] = failure({ 'a.json': gpus }, 'nvidia.com/gpu=gpu2').unresolved;
    expect(entry).toMatchObject({ reason: 'device-absent', kinds: ['nvidia.com/gpu'], causes: [] });
    expect(entry?.devices).toEqual(['nvidia.com/gpu=all', 'nvidia.com/gpu=gpu0', 'nvidia.com/gpu=gpu1']);
    expect(entry?.suggestions.slice(0, 2)).toEqual(['nvidia.com/gpu=gpu0', 'nvidia.com/gpu=gpu1']);
  });

  it('of a kind that is absent: the kinds that are, and the likely device', () => {
    const error = failure({ 'a.json': gpus }, 'nvidia.com/pgu=gpu0');
    expect(error.unresolved[0]).toMatchObject({ reason: 'kind-absent', kinds: ['nvidia.com/gpu'], devices: [] });
    expect(error.message).toContain('kinds present: nvidia.com/gpu; did you mean nvidia.com/gpu=gpu0');
  });

  it('with a name of any length or content in a message of one', () => {
    const names = [`v/c=${'a'.repeat(100_000)}`, 'v/c=\u001b[31m'];
    const error = failure({ 'a.json': gpus }, ...names);
    expect(error.devices).toEqual(names);
    expect(error.message.length).toBeLessThan(2000);
    expect(error.message).not.toContain('\u001b');
  });

  it('where there is nothing at all', () => {
    expect(failure({}, 'v/c=d').message).toContain('no CDI device is present');
  });

  it('because the file of their kind is invalid: that file and why', () => {
    const bad = { ...gpus, cdiVersion: '9.9.9' };
    const error = failure({ 'bad.json': bad, 'other.json': spec(['d']) }, 'nvidia.com/gpu=gpu0');
    expect(error.unresolved[0]?.reason).toBe('file-invalid');
    expect(error.causes[0]).toMatchObject({ code: 'INVALID', path: '$.cdiVersion' });
    expect(error.message).toContain('a spec file of kind nvidia.com/gpu is invalid');
    expect(error.message).toContain('invalid version "9.9.9"');
  });

  it('while some file cannot be read at all: that file as a possible cause', () => {
    const error = failure({ 'bad.json': '{' }, 'v/c=d');
    expect(error.unresolved[0]?.reason).toBe('kind-absent');
    expect(error.causes).toHaveLength(1);
  });

  it('because two files define them', () => {
    const error = failure({ 'a.json': gpus, 'b.json': gpus }, 'nvidia.com/gpu=all');
    expect(error.unresolved[0]?.reason).toBe('conflict');
    expect(error.message).toContain('a.json');
    expect(error.message).toContain('b.json');
  });

  it('because the name is not qualified: what may have been meant', () => {
    const error = failure({ 'a.json': gpus }, 'gpu0');
    expect(error.unresolved[0]?.reason).toBe('malformed');
    expect(error.message).toContain('did you mean nvidia.com/gpu=gpu0');
  });
});
