import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { major, makedev, minor, mount, umount2 } from './mount.ts';
import { mountinfo, parseMountinfo } from './mountinfo.ts';
import { codeOf, inPrivateMounts, temporaryDirectory } from './testing.ts';

describe('device numbers', () => {
  it('round-trip for every major and minor', () => {
    const number = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(number, number, (a, b) => {
        const device = makedev(a, b);
        return major(device) === a && minor(device) === b;
      }),
    );
  });

  it('are those of glibc', () => {
    expect(makedev(1, 3)).toBe(0x103n);
    expect(makedev(0x12345, 0x6789ab)).toBe(0x12006789345abn);
    expect(makedev(0xfedcba98, 0xfffffff0)).toBe(0xfedcbffffffa98f0n);
    expect([major(0x103), minor(0x103)]).toEqual([1, 3]);
  });
});

describe('mountinfo', () => {
  it('reads optional fields, escapes and file systems without options', () => {
    const text = [
      '36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue',
      '37 35 0:30 / /a\\134b\\011c ro - tmpfs none rw',
      '',
    ].join('\n');
    expect(parseMountinfo(text)).toEqual([
      {
        id: 36,
        parentId: 35,
        major: 98,
        minor: 0,
        root: '/mnt1',
        mountPoint: '/mnt 2',
        options: ['rw', 'noatime'],
        optionalFields: ['master:1', 'shared:2'],
        fstype: 'ext3',
        source: '/dev/root',
        superOptions: ['rw', 'errors=continue'],
      },
      expect.objectContaining({ mountPoint: '/a\\b\tc', optionalFields: [], fstype: 'tmpfs', source: 'none' }),
    ]);
  });

  it('refuses a line that is none', () => {
    expect(() => parseMountinfo('hello')).toThrow('not a line of mountinfo: "hello"');
  });

  it('reads back whatever path a mount has, and throws nothing but SyntaxError at any text', () => {
    const path = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !text.includes('\0'));
    const escaped = (text: string) =>
      text.replace(/[ \t\n\\#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);
    fc.assert(
      fc.property(path, (text) => {
        const [info] = parseMountinfo(`1 2 3:4 / ${escaped(text)} rw shared:1 - ext4 /dev/x rw\n`);
        expect(info?.mountPoint).toBe(text);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseMountinfo(text);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }),
    );
  });

  it('reads this process’s own', () => {
    expect(mountinfo().some(({ mountPoint }) => mountPoint === '/')).toBe(true);
  });
});

describe('mount', () => {
  it('reports the kernel’s refusal with every argument', () => {
    const failure = /mount\("none", "\/nonexistent", "tmpfs", 0x6, "size=1m"\) failed: E(NOENT|PERM): /;
    expect(() => mount('none', '/nonexistent', 'tmpfs', 6, 'size=1m')).toThrow(failure);
    expect(codeOf(() => mount('none', '/a\0b', 'tmpfs'))).toBe('EINVAL');
    expect(codeOf(() => umount2('/nonexistent', 0))).toMatch(/ENOENT|EPERM/);
  });

  it('mounts, binds by descriptor and unmounts what mountinfo then shows', (context) => {
    const directory = temporaryDirectory();
    try {
      const output = inPrivateMounts(
        context,
        `
        import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
        import { cloneMount, mount, mountinfo, moveMount, umount2, MNT_DETACH, MS_NODEV, MS_NOSUID, UMOUNT_NOFOLLOW } from '@kata-mock/posix';
        const at = process.argv[1];
        const count = () => mountinfo().filter(({ mountPoint }) => mountPoint.startsWith(at)).length;
        mkdirSync(at + '/a b'); mkdirSync(at + '/copy');
        mount('test', at + '/a b', 'tmpfs', MS_NOSUID | MS_NODEV, 'size=1m');
        writeFileSync(at + '/a b/file', 'seen');
        const tree = cloneMount(at + '/a b');
        const target = openSync(at + '/copy', 0o10000000);
        moveMount(tree, target);
        closeSync(tree); closeSync(target);
        const info = mountinfo().find(({ mountPoint }) => mountPoint === at + '/a b');
        const seen = readFileSync(at + '/copy/file', 'utf8');
        const during = count();
        umount2(at + '/copy', UMOUNT_NOFOLLOW);
        umount2(at + '/a b', MNT_DETACH | UMOUNT_NOFOLLOW);
        console.log(JSON.stringify({ options: info.options, source: info.source, seen, during, after: count() }));
      `,
        [directory.path],
      );
      expect(JSON.parse(output)).toEqual({
        options: expect.arrayContaining(['nosuid', 'nodev']),
        source: 'test',
        seen: 'seen',
        during: 2,
        after: 0,
      });
    } finally {
      directory.remove();
    }
  });
});
