import { closeSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { closeAll } from './descriptors.ts';
import { eventfd } from './eventfd.ts';
import { codeOf, runSource } from './testing.ts';
import { FdWatcher } from './watcher.ts';

describe('a watcher', () => {
  it('keeps the program running only while it watches', () => {
    const printed = runSource(`
      import { eventfd, eventfdWrite, FdWatcher } from '@kata-mock/posix';
      const idle = new FdWatcher(eventfd(), { readable() {} });
      const fd = eventfd();
      const busy = new FdWatcher(fd, { readable() { console.log('told'); busy.close(); } });
      busy.watch({ readable: true });
      setTimeout(() => eventfdWrite(fd), 20).unref();
    `);
    expect(printed).toBe('told\n');
  });

  it('tells nothing more once closed, though the event loop has seen the event already', async () => {
    const fds = [eventfd(1), eventfd(1)];
    const told: number[] = [];
    const watchers = fds.map((fd) => {
      const watcher = new FdWatcher(fd, {
        readable: () => {
          told.push(fd);
          for (const each of watchers) each.close();
        },
      });
      return watcher;
    });
    for (const watcher of watchers) watcher.watch({ readable: true });
    while (told.length === 0) await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(told).toHaveLength(1);
    closeAll(fds);
  });

  it('is refused in a worker, whose end it would not survive', () => {
    const printed = runSource(`
      import { Worker } from 'node:worker_threads';
      new Worker(\`
        import('tsx/esm/api').then(({ register }) => { register(); return import('@kata-mock/posix'); })
          .then(({ FdWatcher, eventfd }) => new FdWatcher(eventfd(), {}))
          .catch(({ message }) => console.log(message));
      \`, { eval: true, execArgv: ['--conditions=@kata-mock/source'] });
    `);
    expect(printed).toMatch(/EPERM: watchers belong to the main thread/);
  });

  it('is refused twice for one descriptor', () => {
    const fd = eventfd();
    const watcher = new FdWatcher(fd, {});
    expect(codeOf(() => new FdWatcher(fd, {}))).toBe('EEXIST');
    watcher.close();
    new FdWatcher(fd, {}).close();
    closeSync(fd);
  });
});
