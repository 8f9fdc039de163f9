import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildProgram } from '../program.ts';
import { completionScript } from './index.ts';

/** What bash would offer for a line whose last word is being typed. */
function offers(line: string): string[] {
  const dir = mkdtempSync(path.join(tmpdir(), 'kata-mock-completion-'));
  try {
    writeFileSync(path.join(dir, 'script'), completionScript('bash', buildProgram()));
    const words = line.split(' ');
    const script = `
      kata-mock() { [ "$*" = "ps --quiet" ] && echo "demo other"; }
      . ${dir}/script
      COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}) COMP_CWORD=${words.length - 1}
      _kata_mock
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).split('\n').filter(Boolean);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

describe('completion of bash', () => {
  it('offers commands, then the options of the command', () => {
    expect(offers('kata-mock p')).toEqual(['ps', 'prune']);
    expect(offers('kata-mock run --dev')).toEqual(['--device']);
    expect(offers('kata-mock --verbose run --dry')).toEqual(['--dry-run']);
    const below = buildProgram().commands.find((command) => command.commands.length > 0);
    expect(offers(`kata-mock ${below?.name()} `)).toContain(below?.commands[0]?.name());
  });

  it('offers the values of an option that has few', () => {
    expect(offers('kata-mock run --accel ')).toEqual(['auto', 'kvm', 'tcg']);
  });

  it('offers the names of sandboxes', () => {
    expect(offers('kata-mock exec d')).toEqual(['demo']);
    expect(offers('kata-mock run --sandbox ')).toEqual(['demo', 'other']);
  });
});

it.each(['zsh', 'fish'] as const)(
  'the script for %s names every command and parses where that shell is there',
  (shell) => {
    const script = completionScript(shell, buildProgram());
    for (const command of buildProgram().commands) expect(script).toContain(command.name());
    const check = spawnSync(shell, ['-n'], { input: script, encoding: 'utf8' });
    if (check.error) console.log(`${shell} is not installed: its parser was not asked`);
    else expect(check.stderr).toBe('');
  },
);
