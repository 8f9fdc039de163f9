import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { expect, it } from 'vitest';
import { directory } from '../test-support/directories.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Manifest {
  name: string;
  bin?: Record<string, string>;
}

/** What `npm publish` would send, built afresh and installed below `modules`. */
function install(folder: string, modules: string): { files: string[]; installed: string; manifest: Manifest } {
  const manifest: Manifest = JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8'));
  const source = directory();
  for (const name of ['package.json', 'README.md', 'src'])
    cpSync(path.join(root, folder, name), path.join(source, name), { recursive: true });
  const tsc = path.join(root, 'node_modules/.bin/tsc');
  const options = [
    '--outDir',
    path.join(source, 'dist'),
    '--composite',
    'false',
    '--incremental',
    'false',
    '--tsBuildInfoFile',
    'null',
  ];
  execFileSync(tsc, ['-p', path.join(root, folder), ...options], { stdio: 'pipe' });
  const packed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', modules], {
    cwd: source,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ filename, files }] = JSON.parse(packed) as [{ filename: string; files: { path: string }[] }];
  const installed = path.join(modules, manifest.name);
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', path.join(modules, path.basename(filename)), '-C', installed, '--strip-components=1']);
  return { files: files.map((file) => file.path), installed, manifest };
}

it('both packages hold what they need and no more, import each other, work and shake', {
  timeout: 180_000,
}, async () => {
  const project = directory();
  const modules = path.join(project, 'node_modules');
  mkdirSync(modules);
  const packages = [install('oci-spec', modules), install('cdi', modules)];
  for (const { files, installed, manifest } of packages) {
    const strangers = files.filter(
      (file) => !/^(dist\/.*\.(js|d\.ts|js\.map)|dist\/gen\/.*\.schema\.json|package\.json|README\.md)$/.test(file),
    );
    expect(strangers).toEqual([]);
    expect(files.filter((file) => /test|bench/.test(file))).toEqual([]);
    const { messages } = await publint({ pkgDir: installed, level: 'warning' });
    expect(messages.map((message) => formatMessage(message, manifest as never))).toEqual([]);
  }
  for (const dependency of [
    'yaml',
    'commander',
    'ajv',
    'fast-deep-equal',
    'fast-uri',
    'json-schema-traverse',
    'require-from-string',
  ]) {
    cpSync(path.join(root, 'node_modules', dependency), path.join(modules, dependency), { recursive: true });
  }

  // As a dependency, without our source condition.
  const script =
    "import { Cache } from 'cdi-spec'; import { parseSpec } from '@kata-mock/oci-spec'; console.log(typeof Cache, parseSpec('{}'));";
  writeFileSync(path.join(project, 'use.mjs'), script);
  expect(execFileSync(process.execPath, ['use.mjs'], { cwd: project, encoding: 'utf8' })).toBe('function {}\n');
  // npm makes it executable when it installs.
  const command = path.join(modules, 'cdi-spec', 'dist/cli/main.js');
  expect(execFileSync(process.execPath, [command, '-d', project, 'devices', '-o', 'json'], { encoding: 'utf8' })).toBe(
    '[]\n',
  );
  const schema = "import schema from 'cdi-spec/schema.json' with { type: 'json' }; console.log(schema.title);";
  expect(
    execFileSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', schema], {
      cwd: project,
      encoding: 'utf8',
    }),
  ).toContain('1.1.0');

  // Types, for a consumer that checks libraries too.
  writeFileSync(
    path.join(project, 'use.ts'),
    "import { Cache, type CdiSpec } from 'cdi-spec';\nexport const names: readonly string[] = new Cache().listDevices();\nexport const kind = (spec: CdiSpec): string => spec.kind;\n",
  );
  const strict = [
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--skipLibCheck',
    'false',
    '--types',
    'node',
    '--typeRoots',
    path.join(root, 'node_modules/@types'),
  ];
  execFileSync(path.join(root, 'node_modules/.bin/tsc'), [...strict, 'use.ts'], { cwd: project, stdio: 'pipe' });

  // Who needs a name only does not get a YAML parser.
  writeFileSync(
    path.join(project, 'name.mjs'),
    "import { isQualifiedName } from 'cdi-spec'; console.log(isQualifiedName('a/b=c'));",
  );
  const { outputFiles } = await build({
    entryPoints: [path.join(project, 'name.mjs')],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    minify: true,
  });
  expect(outputFiles[0]?.contents.length).toBeLessThan(4000);
});
