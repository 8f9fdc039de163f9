import { openSync, readSync, writeSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { closeAll } from './descriptors.ts';
import { deleteModule, finitModule } from './kernel.ts';
import { pipe } from './pipe.ts';
import { getrlimit, setParentDeathSignal } from './process.ts';
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

describe('kinship', () => {
  it('makes an orphan the child of the subreaper', () => {
    const output = runSource(`
      import { spawnSync } from 'node:child_process';
      import { readFileSync } from 'node:fs';
      import { P_PID, setChildSubreaper, waitid, WEXITED } from '@kata-mock/posix';
      setChildSubreaper();
      const { stdout } = spawnSync('sh', ['-c', 'sleep 30 >/dev/null 2>&1 & echo $!'], { encoding: 'utf8' });
      const orphan = Number(stdout);
      const parent = /PPid:\\t(\\d+)/.exec(readFileSync('/proc/' + orphan + '/status', 'utf8'))[1];
      process.kill(orphan, 'SIGKILL');
      console.log(Number(parent) === process.pid, waitid(P_PID, orphan, WEXITED).status);
    `);
    expect(output).toBe('true 9\n');
  });

  it('takes a signal for the end of the parent, and no nonsense', () => {
    const output = runSource(`
      import { spawnSync } from 'node:child_process';
      import { setParentDeathSignal } from '@kata-mock/posix';
      setParentDeathSignal(9);
      const { stdout } = spawnSync('sh', ['-c', 'echo started'], { encoding: 'utf8' });
      console.log(stdout.trim());
    `);
    expect(output).toBe('started\n');
    expect(codeOf(() => setParentDeathSignal(9999))).toBe('EINVAL');
  });
});

describe('pipe', () => {
  it('can be opened again by its path, unlike a socket', () => {
    const { read, write } = pipe();
    const again = openSync(`/proc/self/fd/${write}`, 'w');
    writeSync(again, 'through');
    const data = Buffer.alloc(16);
    expect(data.toString('utf8', 0, readSync(read, data))).toBe('through');
    closeAll([read, write, again]);
  });
});

describe('modules', () => {
  it('are refused with the kernel’s reason', () => {
    expect(codeOf(() => finitModule(-1))).toMatch(/EBADF|EPERM|ENOSYS/);
    expect(codeOf(() => deleteModule('no_such_module'))).toMatch(/ENOENT|EPERM|ENOSYS/);
    expect(codeOf(() => finitModule(0, 'a=1\0'))).toBe('EINVAL');
  });
});
