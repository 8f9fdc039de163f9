import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from './command.ts';
import { SetupError } from './errors.ts';

/** One archive the host trusts: base address, suite and the key ring that signs it. */
export interface AptSource {
  uri: string;
  suite: string;
  components: string[];
  /** Path of a key ring, from Signed-By. */
  signedBy?: string;
}

/** Where Debian comes from on this host. Nothing of it is written into the project. */
export interface Mirror {
  main: AptSource;
  security?: AptSource;
  /** Proxy and check settings of the host's apt, as `Name "value"` lines. */
  aptOptions: string[];
}

/** The key ring of Debian's package debian-archive-keyring. */
export const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Parses the one-line format: `deb [options] uri suite component…`. Lines it does not know are left out. */
export function parseOneLine(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const raw of text.split('\n')) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(raw);
    if (!match) continue;
    const [, options = '', uri = '', suite = '', components = ''] = match;
    const signedBy = /(?:^|\s)signed-by=(\/\S+)/i.exec(options)?.[1];
    sources.push({ uri, suite, components: words(components), ...(signedBy && { signedBy }) });
  }
  return sources;
}

/** Parses the deb822 format (`Types: deb`, `URIs:`, `Suites:` …): every address with every suite. */
export function parseDeb822(text: string): AptSource[] {
  const sources: AptSource[] = [];
  const withoutComments = text.replace(/^#.*\n?/gm, '');
  for (const paragraph of withoutComments.split(/\n\s*\n/)) {
    const fields = parseFields(paragraph);
    if (!words(fields.get('types')).includes('deb') || /^(no|false|off|0)$/i.test(fields.get('enabled') ?? ''))
      continue;
    const signedBy = fields.get('signed-by');
    for (const uri of words(fields.get('uris'))) {
      for (const suite of words(fields.get('suites'))) {
        const components = words(fields.get('components'));
        sources.push({ uri, suite, components, ...(signedBy?.startsWith('/') && { signedBy }) });
      }
    }
  }
  return sources;
}

/** Chooses Debian's archive and its security archive among the host's sources. */
export function chooseMirror(sources: readonly AptSource[]): Omit<Mirror, 'aptOptions'> | undefined {
  const usable = sources.filter((source) => /^(https?|file|copy|mirror\+\w+):/.test(source.uri));
  const debian = usable.filter((source) => source.components.includes('main') && isDebian(source));
  const security = debian.find((source) => isSecurity(source));
  const main = debian.find((source) => !isSecurity(source));
  return main && { main, ...(security && { security }) };
}

/** Reads `<root>/etc/apt`, both formats, and the transport settings of apt. */
export async function hostMirror(root = '/'): Promise<Mirror> {
  const folder = path.join(root, 'etc/apt');
  const parts = await readdir(path.join(folder, 'sources.list.d')).catch(() => []);
  const files = ['sources.list', ...parts.sort().map((name) => path.join('sources.list.d', name))];
  const sources: AptSource[] = [];
  for (const file of files) {
    const parse = file.endsWith('.sources') ? parseDeb822 : file.endsWith('.list') ? parseOneLine : undefined;
    if (!parse) continue;
    sources.push(...parse(await readFile(path.join(folder, file), 'utf8').catch(() => '')));
  }
  const chosen = chooseMirror(sources);
  if (!chosen) {
    throw new SetupError(
      'MIRROR_UNKNOWN',
      `no Debian archive in ${folder}: expected a "deb <address> <suite> main" line in sources.list or a deb822 file in sources.list.d`,
    );
  }
  return { ...chosen, aptOptions: await transportOptions() };
}

/** Lines for mmdebstrap: the release, its security archive, and its backports when asked. */
export function sourceLines(mirror: Mirror, release: string, backports: boolean): string {
  const line = (source: AptSource, suite: string) =>
    `deb [signed-by=${source.signedBy ?? KEYRING}] ${source.uri} ${suite} main`;
  const lines = [line(mirror.main, release)];
  if (backports) lines.push(line(mirror.main, `${release}-backports`));
  if (mirror.security) lines.push(line(mirror.security, `${release}-security`));
  return `${lines.join('\n')}\n`;
}

/** The host's apt may need a proxy or trust an old Release file; mmdebstrap does not read its settings by itself. */
async function transportOptions(): Promise<string[]> {
  const { stdout } = await run('apt-config', ['dump']);
  return parseTransport(stdout);
}

/** Picks proxy, retry and validity settings out of `apt-config dump`. */
export function parseTransport(dump: string): string[] {
  const wanted =
    /^Acquire::(?:(?:https?|ftp)::(?:Proxy(?:-Auto-Detect)?|CaInfo|Verify-\w+)(?:::\S+)?|Check-(?:Valid-Until|Date)|Retries) ".+";$/;
  return dump
    .split('\n')
    .filter((line) => wanted.test(line))
    .map((line) => line.replace(/;$/, ''));
}

const isSecurity = (source: AptSource) => /-security$|\/updates$/.test(source.suite);

/** Third-party archives have suites of their own; Debian's are its code names and classes. */
function isDebian(source: AptSource): boolean {
  const name = source.suite.replace(/[-/].*$/, '');
  return /^(bullseye|bookworm|trixie|forky|duke|sid|oldoldstable|oldstable|stable|testing|unstable)$/.test(name);
}

const words = (text = ''): string[] => text.split(/\s+/).filter(Boolean);

/** Field names are case-insensitive; lines that begin with a blank continue the one before. */
function parseFields(paragraph: string): Map<string, string> {
  const fields = new Map<string, string>();
  let last = '';
  for (const line of paragraph.split('\n')) {
    const field = /^([A-Za-z][\w-]*):\s*(.*)$/.exec(line);
    if (field) {
      last = field[1]!.toLowerCase();
      fields.set(last, field[2]!.trim());
    } else if (last && /^\s+\S/.test(line)) {
      fields.set(last, `${fields.get(last)}\n${line.trim()}`);
    }
  }
  return fields;
}
