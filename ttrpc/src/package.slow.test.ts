/** The package as it would be published: built, packed, unpacked elsewhere, and run by plain Node. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, expect, test } from 'vitest';

const source = path.resolve(import.meta.dirname, '..');
const modules = path.resolve(source, '../node_modules');
let folder: string;
let built: string;
let installed: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'ttrpc-pack-'));
  built = path.join(folder, 'built');
  for (const file of ['package.json', 'README.md', 'PROTOCOL.md', 'proto']) {
    cpSync(path.join(source, file), path.join(built, file), { recursive: true });
  }
  const tsc = [path.join(modules, 'typescript/bin/tsc'), '-p', source, '--outDir', path.join(built, 'dist')];
  execFileSync(process.execPath, [...tsc, '--tsBuildInfoFile', path.join(folder, 'info')], { stdio: 'inherit' });
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: built, stdio: 'ignore' });
  installed = path.join(folder, 'node_modules/ttrpc-ts');
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', path.join(folder, 'ttrpc-ts-0.1.0.tgz'), '-C', installed, '--strip-components=1']);
  // Its dependencies, and nothing else of this project.
  for (const name of ['@bufbuild', 'commander', 'protobufjs', '@protobufjs', 'long']) {
    symlinkSync(path.join(modules, name), path.join(folder, 'node_modules', name));
  }
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the package has what it needs and nothing else', () => {
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' });
  for (const file of [
    'dist/index.js',
    'dist/index.d.ts',
    'dist/echo.js',
    'dist/cli/main.js',
    'PROTOCOL.md',
    'README.md',
  ]) {
    expect(files).toContain(file);
  }
  expect(files).toContain('proto/ttrpc/test/v1/echo.proto');
  expect(
    files.filter((file) => /test\.|testing|bench|examples|tsbuildinfo|\.ts$/.test(file) && !file.endsWith('.d.ts')),
  ).toEqual([]);
});

test('publint finds nothing wrong', async () => {
  const { messages, pkg } = await publint({ pkgDir: built, pack: 'npm', level: 'suggestion' });
  expect(messages.map((message) => formatMessage(message, pkg!, { color: false }))).toEqual([]);
});

test('the unpacked package serves and calls, without the packages it can do without', () => {
  expect(existsSync(path.join(folder, 'node_modules/@kata-mock'))).toBe(false);
  const script = path.join(folder, 'use.mjs');
  writeFileSync(
    script,
    `import { connect, createClient, Server } from 'ttrpc-ts';
     import { Echo, echoHandlers } from 'ttrpc-ts/echo';
     const server = new Server().register(Echo, echoHandlers);
     const { address } = await server.listen('unix://${folder}/a.sock');
     const connection = await connect(address);
     console.log((await createClient(Echo, connection).unary({ text: 'packed' })).text);
     await connect('vsock://1:2').catch((error) => console.log(error.codeName, error.message));
     await new Server({ authorize: () => true }).listen('unix://${folder}/b.sock').catch((error) => console.log(error.codeName));
     await connection.close();
     await server.shutdown();`,
  );
  const { stdout, stderr } = spawnSync(process.execPath, [script], { cwd: folder, encoding: 'utf8', timeout: 20_000 });
  expect(stderr).toBe('');
  expect(stdout.split('\n')).toEqual([
    'packed',
    'FAILED_PRECONDITION vsock addresses need the package @kata-mock/posix, which does not load: install it beside ttrpc-ts',
    'FAILED_PRECONDITION',
    '',
  ]);
});

test('its command runs', () => {
  const main = path.join(installed, 'dist/cli/main.js');
  const { stdout, status } = spawnSync(process.execPath, [main, '--help'], { encoding: 'utf8', timeout: 20_000 });
  expect(status).toBe(0);
  expect(stdout).toContain('ttrpc call unix:///tmp/echo.sock');
});
