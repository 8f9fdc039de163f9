import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { Cache, DEFAULT_SPEC_DIRS } from '../cache/cache.ts';
import { CdiError } from '../errors.ts';
import { formatOf, readCdiSpec } from '../load/file.ts';
import { parseKind, qualifiedName } from '../names.ts';
import type { CdiSpec } from '../types.ts';
import { overlappingEnv } from './env-rule.ts';
import type { Finding, Rule } from './finding.ts';
import { hostResources } from './host-rule.ts';
import { fileModes } from './mode-rule.ts';
import { textTraps } from './text-rules.ts';
import { versionHigherThanNeeded } from './version-rule.ts';

export interface LintOptions {
  compat?: 'go';
  proposals?: boolean;
}

const rules: Record<string, Rule> = {
  'text-trap': textTraps,
  'version-too-high': versionHigherThanNeeded,
  'file-mode': fileModes,
  'host-resource': hostResources,
  'env-overlap': overlappingEnv,
};

/** Examines one spec file: errors that keep it from being used, then what is allowed but likely not meant. */
export function lintFile(file: string, options: LintOptions = {}): Finding[] {
  let spec: CdiSpec;
  try {
    spec = readCdiSpec(file, options);
  } catch (error) {
    if (!(error instanceof CdiError)) throw error;
    return [
      {
        severity: 'error',
        rule: error.code.toLowerCase(),
        file,
        ...(error.path && { path: error.path }),
        message: causeOf(error),
        ...versionFix(error),
      },
    ];
  }
  const subject = {
    file,
    spec,
    text: readFileSync(file, 'utf8'),
    format: formatOf(file) ?? 'yaml',
    proposals: options.proposals ?? false,
  };
  const findings = Object.entries(rules).flatMap(([rule, find]) =>
    [...find(subject)].map((finding) => ({ rule, file, ...finding })),
  );
  return [...findings, ...readable(file)];
}

/** Examines all spec files of directories, and how they get along. */
export function lintDirectories(specDirs: readonly string[] = DEFAULT_SPEC_DIRS, options: LintOptions = {}): Finding[] {
  const cache = new Cache({ ...options, specDirs, autoRefresh: false });
  const files = specDirs.flatMap((directory) => list(directory).map((name) => path.join(directory, name)));
  return [
    ...specDirs.flatMap((directory) => directoryFinding(directory, cache)),
    ...files.flatMap((file) => (formatOf(file) ? lintFile(file, options) : ignored(file))),
    ...overlaps(cache),
  ];
}

/** The loader's words name the version that is needed. */
function versionFix(error: CdiError): { fix?: string } {
  const needed = error.path === '$.cdiVersion' ? /at least v([0-9.]+[0-9])/.exec(causeOf(error))?.[1] : undefined;
  return needed === undefined ? {} : { fix: `write cdiVersion: "${needed}"` };
}

function causeOf(error: CdiError): string {
  return error.cause instanceof CdiError ? error.cause.message : error.message;
}

function list(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => entry.name)
      .sort();
  } catch {
    return [];
  }
}

function directoryFinding(directory: string, cache: Cache): Finding[] {
  const error = cache.specDirErrors().get(path.normalize(directory));
  return error ? [{ severity: 'error', rule: 'directory', file: directory, message: error.message }] : [];
}

function ignored(file: string): Finding[] {
  const fix = `name it ${path.basename(file).replace(/\.[^.]*$/, '')}.yaml or .json`;
  return /\.(yml|ya?ml[~.].*|jsonc?|JSON|YAML|YML)$/.test(file)
    ? [
        {
          severity: 'warning',
          rule: 'ignored-file',
          file,
          message: 'only files that end in .json or .yaml are read',
          fix,
        },
      ]
    : [];
}

function readable(file: string): Finding[] {
  const mode = statSync(file).mode & 0o777;
  if (mode & 0o004) return [];
  const message = `mode 0${mode.toString(8)}: runtimes without root cannot read it`;
  return [{ severity: 'note', rule: 'unreadable', file, message, fix: `chmod 0644 ${file}` }];
}

/** Devices that several files define: conflicts, which are errors, and definitions that another one hides. */
function overlaps(cache: Cache): Finding[] {
  const conflicts = [...new Set([...cache.errors().values()].flat())].filter((error) => error.code === 'CONFLICT');
  const hidden = cache.specs().flatMap(({ file, spec }) =>
    spec.devices.flatMap((device, index): Finding[] => {
      const { vendor, class: kindClass } = parseKind(spec.kind);
      const name = qualifiedName(vendor, kindClass, device.name);
      const used = cache.getDevice(name)?.from.file;
      if (used === undefined || used === file) return [];
      return [
        {
          severity: 'note',
          rule: 'hidden',
          file,
          path: `$.devices[${index}]`,
          message: `${name} is hidden by ${used}`,
        },
      ];
    }),
  );
  return [
    ...conflicts.map(
      (error): Finding => ({
        severity: 'error',
        rule: 'conflict',
        file: error.file ?? '',
        message: error.message,
        fix: 'rename one of the devices, or move one file to a directory of higher priority',
      }),
    ),
    ...hidden,
  ];
}
