import { describe, expect, it } from 'vitest';
import { capsOf } from './credentials.ts';
import { needsRoot, runSource } from './testing.ts';

describe('rights', () => {
  it('are read from the process table', () => {
    const rights = capsOf('self');
    expect(rights.uids[0]).toBe(process.getuid!());
    expect(rights.gids[0]).toBe(process.getgid!());
    expect(typeof rights.effective).toBe('bigint');
  });

  it('go from every thread: no_new_privs, whatever thread sets it', () => {
    const output = runSource(`
      import { readdirSync, readFileSync } from 'node:fs';
      import { prctlNoNewPrivs } from '@kata-mock/posix';
      await import('node:fs/promises').then((fs) => fs.stat('/'));
      prctlNoNewPrivs();
      const threads = readdirSync('/proc/self/task');
      const set = threads.filter((id) => /NoNewPrivs:\\t1/.test(readFileSync('/proc/self/task/' + id + '/status', 'utf8')));
      console.log(threads.length > 4, set.length === threads.length);
    `);
    expect(output).toBe('true true\n');
  });

  it('go from every thread: user, groups, capabilities', (context) => {
    needsRoot(context, 'giving up root');
    const output = runSource(`
      import { readdirSync, readFileSync } from 'node:fs';
      import { capsOf, dropBoundingSet, setgroups, setresgid, setresuid } from '@kata-mock/posix';
      await import('node:fs/promises').then((fs) => fs.stat('/'));
      dropBoundingSet(); setgroups([65534, 100]); setresgid(65534, 65534, 65534); setresuid(65534, 65534, 65534);
      const threads = readdirSync('/proc/self/task').map((id) => readFileSync('/proc/self/task/' + id + '/status', 'utf8'));
      const all = (pattern) => threads.every((text) => pattern.test(text));
      const { bounding, effective, permitted } = capsOf('self');
      console.log(all(/Uid:\\t65534\\t65534\\t65534/), all(/Gid:\\t65534\\t65534\\t65534/), all(/Groups:\\t100 65534/), all(/CapEff:\\t0+\\n/), bounding, effective, permitted);
    `);
    expect(output).toBe('true true true true 0n 0n 0n\n');
  });
});
