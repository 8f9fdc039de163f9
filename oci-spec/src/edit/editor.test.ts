import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Spec } from '../types/index.ts';
import { SpecEditor } from './editor.ts';

const spec = (): Spec => ({
  ociVersion: '1.2.0',
  process: { cwd: '/', env: ['PATH=/bin', 'A=1', 'A=2'], user: { uid: 0, gid: 0, additionalGids: [5] } },
  mounts: [{ destination: '/proc' }, { destination: '/dev' }],
  linux: {
    devices: [{ path: '/dev/a', type: 'c', major: 1, minor: 3 }],
    resources: { devices: [{ allow: false, access: 'rwm' }] },
  },
});

describe('SpecEditor', () => {
  it('never touches the spec it was given, and gives away copies', () => {
    const original = spec();
    const editor = new SpecEditor(original);
    editor.env.set('B', '1');
    const result = editor.result();
    result.process?.env?.push('C=1');
    expect(original).toEqual(spec());
    expect(editor.result().process?.env).toEqual(['PATH=/bin', 'A=1', 'A=2', 'B=1']);
  });

  it('replaces the last entry of a variable in place, appends a new one, and says nothing of no change', () => {
    const editor = new SpecEditor(spec());
    editor.env.set('A', '3');
    editor.env.set('NEW', 'x=y');
    editor.env.set('PATH', '/bin');
    expect(editor.env.entries()).toEqual(['PATH=/bin', 'A=1', 'A=3', 'NEW=x=y']);
    expect(editor.env.get('NEW')).toBe('x=y');
    expect(editor.changes).toEqual([
      { op: 'replace', path: '$.process.env[2]', before: 'A=2', after: 'A=3' },
      { op: 'add', path: '$.process.env[3]', after: 'NEW=x=y' },
    ]);
    editor.env.delete('A');
    expect(editor.env.entries()).toEqual(['PATH=/bin', 'NEW=x=y']);
  });

  it.each(['', 'A=B'])('refuses %j as the name of a variable', (name) => {
    expect(() => new SpecEditor(spec()).env.set(name, '1')).toThrow('cannot be the name of a variable');
  });

  it('makes what is missing on the way', () => {
    const editor = new SpecEditor({ ociVersion: '1.2.0' });
    editor.env.set('A', '1');
    editor.devices.put({ path: '/dev/x', type: 'c', major: 1, minor: 3 });
    editor.deviceRules.add({ allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' });
    editor.addGid(7);
    editor.addHook('poststop', { path: '/bin/true' });
    editor.maskedPaths.add('/sys/x');
    editor.annotations.set('a', 'b');
    editor.setNetDevice('eth0', { name: 'net0' });
    expect(editor.result()).toEqual({
      ociVersion: '1.2.0',
      process: { env: ['A=1'], user: { additionalGids: [7] } },
      linux: {
        devices: [{ path: '/dev/x', type: 'c', major: 1, minor: 3 }],
        resources: { devices: [{ allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' }] },
        maskedPaths: ['/sys/x'],
        netDevices: { eth0: { name: 'net0' } },
      },
      hooks: { poststop: [{ path: '/bin/true' }] },
      annotations: { a: 'b' },
    });
  });

  it('takes null for absent, as Go does', () => {
    const editor = new SpecEditor({ ociVersion: '1', process: null, linux: { devices: null } } as unknown as Spec);
    editor.env.set('A', '1');
    editor.devices.put({ path: '/d', type: 'p' });
    expect(editor.result()).toMatchObject({ process: { env: ['A=1'] }, linux: { devices: [{ path: '/d' }] } });
  });

  it('moves a device that is put again to the end', () => {
    const editor = new SpecEditor(spec());
    editor.devices.put({ path: '/dev/b', type: 'b' });
    editor.devices.put({ path: '/dev/a', type: 'b' });
    expect(editor.devices.entries().map(({ path, type }) => `${path} ${type}`)).toEqual(['/dev/b b', '/dev/a b']);
  });

  it('leaves one device of a path when there were several', () => {
    const path = '/dev/x';
    const devices = [path, path, '/dev/y', path].map((each, major) => ({ path: each, type: 'c' as const, major }));
    const editor = new SpecEditor({ ociVersion: '1', linux: { devices } });
    editor.devices.put({ path, type: 'c', major: 9 });
    expect(editor.devices.entries().map((device) => [device.path, device.major])).toEqual([
      [path, 9],
      ['/dev/y', 2],
    ]);
  });

  it('updates a device in place, and says which one is missing', () => {
    const editor = new SpecEditor(spec());
    editor.devices.update('/dev/a', { major: 2n ** 40n, path: '/dev/z' });
    expect(editor.devices.find('/dev/z')).toEqual({ path: '/dev/z', type: 'c', major: 2n ** 40n, minor: 3 });
    expect(() => editor.devices.update('/dev/a', {})).toThrow('$.linux.devices: no device has the path "/dev/a"');
  });

  it('puts, updates and removes device rules', () => {
    const editor = new SpecEditor(spec());
    editor.deviceRules.add({ allow: true, type: 'c', major: 5 });
    editor.deviceRules.add({ allow: false, type: 'b' }, 0);
    editor.deviceRules.update(2, { minor: 1 });
    editor.deviceRules.delete(({ allow, type }) => !allow && type === undefined);
    expect(editor.deviceRules.entries()).toEqual([
      { allow: false, type: 'b' },
      { allow: true, type: 'c', major: 5, minor: 1 },
    ]);
  });

  it('replaces mounts by destination and reports a sort only when it moved something', () => {
    const editor = new SpecEditor(spec());
    editor.mounts.put({ destination: '/proc', source: 'x' });
    expect(editor.mounts.entries().map(({ destination }) => destination)).toEqual(['/dev', '/proc']);
    const before = editor.changes.length;
    editor.mounts.sort(() => 0);
    expect(editor.changes).toHaveLength(before);
    editor.mounts.sort((a, b) => b.destination.length - a.destination.length);
    expect(editor.changes.at(-1)).toEqual({ op: 'reorder', path: '$.mounts' });
  });

  it('adds a group once, and never group 0', () => {
    const editor = new SpecEditor(spec());
    for (const gid of [0, 5, 6, 6]) editor.addGid(gid);
    expect(editor.get(['process', 'user', 'additionalGids'])).toEqual([5, 6]);
  });

  it('undoes a failed transaction, changes and all', () => {
    const editor = new SpecEditor(spec());
    editor.env.set('KEPT', '1');
    const attempt = () =>
      editor.transaction(() => {
        editor.env.set('LOST', '1');
        editor.devices.update('/dev/none', {});
      });
    expect(attempt).toThrow('no device has the path');
    expect(editor.env.get('LOST')).toBeUndefined();
    expect(editor.changes).toHaveLength(1);
  });

  it('says who asked for a change, the inner one when they nest', () => {
    const editor = new SpecEditor(spec());
    editor.attribute('outer', () => {
      editor.annotations.set('a', '1');
      editor.attribute('inner', () => editor.annotations.set('b', '2'));
      editor.annotations.set('c', '3');
    });
    editor.annotations.set('d', '4');
    expect(editor.changes.map(({ source }) => source)).toEqual(['outer', 'inner', 'outer', undefined]);
  });

  it.each([
    ['a list', { process: { env: 'A=1' } }, '$.process.env: must be an array to be edited, found "A=1"'],
    ['an object', { process: 'sh' }, '$.process: must be an object to be edited, found "sh"'],
  ])('refuses to edit what is not %s', (_, part, message) => {
    const editor = new SpecEditor({ ociVersion: '1', ...part } as unknown as Spec);
    expect(() => editor.env.set('A', '1')).toThrow(message);
  });

  it('cannot be led to the prototype', () => {
    const editor = new SpecEditor({ ociVersion: '1' });
    expect(() => editor.set(['annotations', '__proto__'], 'x')).toThrow('cannot be set');
    expect(() => editor.set(['constructor', 'prototype', 'x'], 1)).not.toThrow();
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('gives the same bytes and changes for the same edits', () => {
    const edits = fc.array(
      fc.oneof(
        fc.record({ env: fc.constantFrom('A', 'B', 'C'), value: fc.string() }),
        fc.record({ device: fc.constantFrom('/dev/a', '/dev/b'), major: fc.nat() }),
        fc.record({ mount: fc.constantFrom('/proc', '/a/b', '/a') }),
      ),
    );
    fc.assert(
      fc.property(edits, (list) => {
        const [one, two] = [spec(), spec()].map((each) => {
          const editor = new SpecEditor(each);
          for (const edit of list) {
            if ('env' in edit) editor.env.set(edit.env, edit.value);
            else if ('device' in edit) editor.devices.put({ path: edit.device, type: 'c', major: edit.major });
            else editor.mounts.put({ destination: edit.mount });
          }
          return JSON.stringify([editor.result(), editor.changes]);
        });
        expect(one).toBe(two);
      }),
    );
  });
});
