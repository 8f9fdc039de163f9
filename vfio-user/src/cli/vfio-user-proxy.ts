/** `vfio-user-proxy LISTEN CONNECT`: between any client and any server. */
import { closeSync, unlinkSync } from 'node:fs';
import { accept, POLLIN, poll, unixConnect, unixListen } from '@kata-mock/posix';
import { Command } from 'commander';
import { MessageProxy } from '../proxy/proxy.ts';
import { Tracer } from '../trace/tracer.ts';
import { readRules } from './rules.ts';
import { run } from './run.ts';

interface Flags {
  trace?: string;
  faults?: string;
}

const program = new Command('vfio-user-proxy')
  .description('Stands between a vfio-user client and a server: records their messages and breaks them on purpose.')
  .argument('<listen>', 'socket to make for the client')
  .argument('<connect>', 'socket of the server')
  .option('--trace <file>', 'record every message in a pcapng file')
  .option('--faults <file>', 'faults from a JSON file (see mock-accel-server ctl --help)')
  .addHelpText('after', '\nExample:\n  vfio-user-proxy --trace session.pcapng /tmp/front.sock /tmp/device.sock')
  .action(async (listen: string, connect: string, flags: Flags) => {
    const rules = flags.faults === undefined ? [] : readRules(flags.faults);
    const listener = unixListen(listen, { mode: 0o600 });
    let stopped = false;
    let proxy: MessageProxy | undefined;
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.on(signal, () => {
        stopped = true;
        proxy?.stop();
      });
    const tracer = flags.trace === undefined ? undefined : new Tracer(flags.trace, 'vfio-user-proxy');
    try {
      while (!stopped && poll([{ fd: listener, events: POLLIN }], 20)[0] === 0)
        await new Promise((resolve) => setImmediate(resolve));
      if (stopped) return;
      const client = accept(listener);
      try {
        proxy = new MessageProxy(client, unixConnect(connect));
      } catch (error) {
        closeSync(client);
        throw error;
      }
      proxy.observer = tracer;
      for (const rule of rules) proxy.faults.set(rule);
      await proxy.run();
    } finally {
      tracer?.close();
      closeSync(listener);
      unlinkSync(listen);
    }
  });

await run(program);
