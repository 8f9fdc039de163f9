/**
 * Regenerates every generated file of the project, or with --check fails when one differs from what is committed.
 * Each workspace names its own generator as npm script `generate`; the check compares with git's working tree.
 */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const check = process.argv.includes('--check');
const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' });

const before = check ? git('diff') + git('ls-files', '--others', '--exclude-standard') : '';
execFileSync('npm', ['run', 'generate', '--workspaces', '--if-present', '--silent'], { cwd: root, stdio: 'inherit' });
if (check) {
  const after = git('diff') + git('ls-files', '--others', '--exclude-standard');
  if (after !== before) {
    console.error('generated files differ from their source: run `npm run generate` and commit the result');
    console.error(git('diff', '--stat'));
    process.exit(1);
  }
}
