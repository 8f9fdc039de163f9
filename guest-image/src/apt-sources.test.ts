import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import {
  chooseMirror,
  hostMirror,
  KEYRING,
  parseDeb822,
  parseOneLine,
  parseTransport,
  sourceLines,
} from './apt-sources.ts';

const debian12 = `Types: deb
# a remark inside the paragraph
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;

const oneLine = `# deb cdrom:[Debian GNU/Linux 13.1.0 _Trixie_]/ trixie contrib main
deb [arch=amd64 signed-by=/etc/apt/keyrings/vendor.gpg] https://vendor.example/apt stable stable
deb http://mirror.example/debian trixie main contrib non-free-firmware # remark
deb-src http://mirror.example/debian trixie main
deb http://security.example/debian-security trixie-security main
`;

describe('apt sources of the host', () => {
  it('reads the deb822 format of Debian 12 and 13, every address with every suite', () => {
    expect(parseDeb822(debian12)).toEqual([
      { uri: 'http://mirror.example/debian', suite: 'bookworm', components: ['main'], signedBy: KEYRING },
      { uri: 'http://mirror.example/debian', suite: 'bookworm-updates', components: ['main'], signedBy: KEYRING },
      {
        uri: 'http://mirror.example/debian-security',
        suite: 'bookworm-security',
        components: ['main'],
        signedBy: KEYRING,
      },
    ]);
  });

  it('reads the one-line format and leaves remarks, sources and CDs out', () => {
    expect(parseOneLine(oneLine).map(({ uri, suite }) => `${uri} ${suite}`)).toEqual([
      'https://vendor.example/apt stable',
      'http://mirror.example/debian trixie',
      'http://security.example/debian-security trixie-security',
    ]);
    expect(parseOneLine(oneLine)[0]?.signedBy).toBe('/etc/apt/keyrings/vendor.gpg');
  });

  it.each([
    ['is switched off', 'Enabled: no\nTypes: deb\nURIs: http://a\nSuites: s\nComponents: main\n'],
    ['has only source packages', 'Types: deb-src\nURIs: http://a\nSuites: s\nComponents: main\n'],
    ['has no address', 'Types: deb\nSuites: s\nComponents: main\n'],
  ])('leaves out a paragraph that %s', (_why, text) => {
    expect(parseDeb822(text)).toEqual([]);
  });

  it('does not take an inline key for a path', () => {
    const text = 'Types: deb\nURIs: http://a\nSuites: s\nComponents: main\nSigned-By:\n -----BEGIN PGP\n .\n mQ\n';
    expect(parseDeb822(text)[0]?.signedBy).toBeUndefined();
  });

  it('chooses Debian among the archives, with its security archive', () => {
    const chosen = chooseMirror(parseOneLine(oneLine));
    expect(chosen?.main.uri).toBe('http://mirror.example/debian');
    expect(chosen?.security?.uri).toBe('http://security.example/debian-security');
  });

  it('chooses nothing when only a vendor is there', () => {
    expect(chooseMirror(parseOneLine('deb https://vendor.example/apt stable stable\n'))).toBeUndefined();
  });

  it('asks for trixie whatever the host runs, and for its backports only when needed', () => {
    const mirror = { ...chooseMirror(parseDeb822(debian12))!, aptOptions: [] };
    expect(sourceLines(mirror, 'trixie', true)).toBe(
      [
        `deb [signed-by=${KEYRING}] http://mirror.example/debian trixie main`,
        `deb [signed-by=${KEYRING}] http://mirror.example/debian trixie-backports main`,
        `deb [signed-by=${KEYRING}] http://mirror.example/debian-security trixie-security main`,
        '',
      ].join('\n'),
    );
    expect(sourceLines(mirror, 'trixie', false)).not.toContain('backports');
  });

  it('never throws on any text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('deb', ' ', '\n', ':', '[', ']', '#', 'Types: deb', 'a', '\t') }),
        (text) => {
          parseOneLine(text);
          parseDeb822(text);
        },
      ),
    );
  });
});

describe('transport settings', () => {
  it('takes proxies and validity checks over, and nothing else', () => {
    const dump = [
      'APT::Architecture "amd64";',
      'Acquire::http::Proxy "http://proxy.example:3142";',
      'Acquire::https::Verify-Peer "true";',
      'Acquire::Check-Valid-Until "false";',
      'Acquire::Languages:: "none";',
      'Acquire::http::Proxy-Auto-Detect "/usr/bin/auto";',
      'Acquire::http::Proxy::mirror.example "DIRECT";',
      'Acquire::http::Pipeline-Depth "0";',
      'Acquire::Retries "";',
    ].join('\n');
    expect(parseTransport(dump)).toEqual([
      'Acquire::http::Proxy "http://proxy.example:3142"',
      'Acquire::https::Verify-Peer "true"',
      'Acquire::Check-Valid-Until "false"',
      'Acquire::http::Proxy-Auto-Detect "/usr/bin/auto"',
      'Acquire::http::Proxy::mirror.example "DIRECT"',
    ]);
  });
});

describe('hostMirror', () => {
  let folder = '';
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('says where it looked when there is no Debian archive', async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'km-apt-'));
    await mkdir(path.join(folder, 'etc/apt'), { recursive: true });
    await writeFile(path.join(folder, 'etc/apt/sources.list'), 'deb https://vendor.example/apt stable stable\n');
    await expect(hostMirror(folder)).rejects.toMatchObject({
      code: 'MIRROR_UNKNOWN',
      message: expect.stringContaining(folder),
    });
  });
});
