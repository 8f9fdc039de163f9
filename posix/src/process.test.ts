import { describe, expect, it } from 'vitest';
import { deleteModule, finitModule } from './kernel.ts';
import { getrlimit } from './process.ts';
import { codeOf, needsRoot, runSource } from './testing.ts';

describe('limits', () => {
  it('are lowered for good', () => {
    const output = runSource(`
      import { getrlimit, setrlimit } from '@kata-mock/posix';
      setrlimit('nofile', 100, 200); setrlimit('core', 0);
      console.log(JSON.stringify([getrlimit('nofile'), getrlimit('core')]));
    `);
    expect(JSON.parse(output)).toEqual([
      { soft: 100, hard: 200 },
      { soft: 0, hard: 0 },
    ]);
  });

  it('are read as numbers or infinity', () => {
    const { soft } = getrlimit('nofile');
    expect(soft === 'infinity' || soft > 0).toBe(true);
  });
});

describe('sessions and namespaces', () => {
  it('make a new session once', () => {
    const output = runSource(
      `
      import { setsid } from '@kata-mock/posix';
      console.log(setsid() === process.pid);
      try { setsid(); } catch (error) { console.log(error.message); }
    `,
      [],
      ['setsid', '--fork', '--wait', 'sh', '-c', '"$@" & wait', 'sh'],
    );
    expect(output).toMatch(/^true\nsetsid\(\) failed: EPERM: operation not permitted\n$/);
  });

  it('keep a new host name to their own namespace', (context) => {
    needsRoot(context, 'a UTS namespace');
    const output = runSource(`
      import { openSync } from 'node:fs';
      import { hostname } from 'node:os';
      import { CLONE_NEWUTS, sethostname, setns, unshare } from '@kata-mock/posix';
      const before = hostname();
      const old = openSync('/proc/self/ns/uts', 'r');
      unshare(CLONE_NEWUTS); sethostname('kata-mock-test');
      const inside = hostname();
      setns(old, CLONE_NEWUTS);
      console.log(inside, hostname() === before);
    `);
    expect(output).toBe('kata-mock-test true\n');
  });
});

describe('modules', () => {
  it('are refused with the kernel’s reason', () => {
    expect(codeOf(() => finitModule(-1))).toMatch(/EBADF|EPERM|ENOSYS/);
    expect(codeOf(() => deleteModule('no_such_module'))).toMatch(/ENOENT|EPERM|ENOSYS/);
    expect(codeOf(() => finitModule(0, 'a=1\0'))).toBe('EINVAL');
  });
});
