import { isAlias, isMap, isPair, isScalar, isSeq, type Scalar } from 'yaml';
import { firstDocument } from '../load/yaml.ts';
import { plainScalar } from '../load/yaml-scalar.ts';
import type { Rule, RuleFinding } from './finding.ts';

const MEMBERS = [
  ...['cdiVersion', 'kind', 'name', 'annotations', 'devices', 'containerEdits', 'env', 'deviceNodes', 'netDevices'],
  ...['hooks', 'mounts', 'intelRdt', 'additionalGids', 'deviceCgroupRules', 'hookName', 'hostInterfaceName', 'path'],
  ...['hostPath', 'containerPath', 'args', 'timeout', 'options', 'type', 'major', 'minor', 'fileMode', 'permissions'],
  ...['uid', 'gid', 'closID', 'l3CacheSchema', 'memBwSchema', 'schemata', 'enableMonitoring'],
];
const spelling = new Map(MEMBERS.map((name) => [name.toLowerCase(), name]));
const TEXTS = new Set([
  'cdiVersion',
  'kind',
  'name',
  'path',
  'hostPath',
  'containerPath',
  'type',
  'permissions',
  'closID',
]);
const TEXT_LISTS = new Set(['env', 'args', 'options', 'schemata']);

/** What only the text shows: YAML that means something else than it looks like, and members in another case. */
export const textTraps: Rule = function* ({ text, format }) {
  if (format === 'json') yield* jsonOnly(text);
  const document = parsed(text);
  if (!document) return;
  if (format === 'yaml' && /^---\s*$/m.test(text.replace(/^(\s*(#.*)?\n)*---/, ''))) {
    yield {
      severity: 'warning',
      message: 'only the first YAML document is read',
      fix: 'put each spec into a file of its own',
    };
  }
  yield* walk(document.contents, '$', '', format);
};

/** JSON with tabs before its members is no YAML: then there are no nodes to look at. */
function parsed(text: string): ReturnType<typeof firstDocument> {
  try {
    return firstDocument(text);
  } catch {
    return undefined;
  }
}

function* walk(node: unknown, path: string, member: string, format: 'json' | 'yaml'): Generator<RuleFinding> {
  if (isAlias(node)) return;
  if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) yield* walk(item, `${path}[${index}]`, member, format);
  } else if (isMap(node)) {
    for (const pair of node.items) {
      if (!isPair(pair) || !isScalar(pair.key)) continue;
      const key = String(pair.key.value);
      const inAnnotations = member === 'annotations';
      if (!inAnnotations) yield* caseOf(key, `${path}.${key}`);
      yield* walk(pair.value, `${path}.${key}`, inAnnotations ? 'name' : key, format);
    }
  } else if (isScalar(node) && (TEXTS.has(member) || TEXT_LISTS.has(member))) {
    yield* trap(node, path, format);
  }
}

function* caseOf(key: string, path: string): Generator<RuleFinding> {
  const known = spelling.get(key.toLowerCase());
  if (known && known !== key) {
    yield {
      severity: 'warning',
      path,
      message: `${JSON.stringify(key)} is spelt ${JSON.stringify(known)} in the specification`,
      fix: `write ${known}; other readers may take case seriously`,
    };
  }
}

function* trap(node: Scalar, path: string, format: 'json' | 'yaml'): Generator<RuleFinding> {
  const source = String(node.value ?? '');
  if (node.type !== 'PLAIN' || source === '') return;
  const meant = plainScalar(source);
  if (typeof meant === 'string') return;
  const becomes = meant === null ? 'nothing' : JSON.stringify(String(meant));
  const changed = String(meant) !== source;
  yield {
    severity: changed ? 'warning' : 'note',
    path,
    message: `${source} without quotes is ${typeof meant === 'boolean' ? 'a boolean' : meant === null ? 'null' : 'a number'} in ${format.toUpperCase()}${changed ? `, read as ${becomes}` : ''}`,
    fix: `write "${source}" in quotes`,
  };
}

function* jsonOnly(text: string): Generator<RuleFinding> {
  try {
    JSON.parse(text);
  } catch (error) {
    yield {
      severity: 'warning',
      message: `not JSON (${(error as Error).message}), read as YAML`,
      fix: 'correct it, or name the file .yaml',
    };
  }
}
