/** `vfio-user-proxy LISTEN CONNECT`: between any client and any server. */
import { Command } from 'commander';
import { serveControl } from '../control/server.ts';
import { onSignal } from '../host/signals.ts';
import { proxyMethods } from '../proxy/methods.ts';
import { ProxyServer } from '../proxy/proxy-server.ts';
import { readRules } from './rules.ts';
import { run } from './run.ts';

interface Flags {
  trace?: string;
  faults?: string;
  control?: string;
  relisten?: boolean;
}

const help = `
Control requests: list, stats, fault-set, fault-list, fault-clear, fault-events, aer, remove, trace-start, trace-stop, stop.
Faults:   all kinds but dma-error, which is refused: the proxy has no part in memory that the server maps.
          Set that one in the server.

Examples:
  vfio-user-proxy --trace session.pcapng /tmp/front.sock /tmp/device.sock
  vfio-user-proxy --relisten --control /tmp/c.sock /tmp/front.sock /tmp/device.sock
  mock-accel-server ctl /tmp/c.sock fault-set '{"id":"s","when":{"access":"read","region":0},"fault":{"kind":"ones"}}'`;

const program = new Command('vfio-user-proxy')
  .description('Stands between a vfio-user client and a server: records their messages and breaks them on purpose.')
  .argument('<listen>', 'socket to make for the client')
  .argument('<connect>', 'socket of the server')
  .option('--trace <file>', 'record every message in a pcapng file')
  .option('--faults <file>', 'faults from a JSON file (see mock-accel-server ctl --help)')
  .option('--control <socket>', 'answer mock-accel-server ctl on this socket')
  .option('--relisten', 'wait for the next client when one leaves')
  .addHelpText('after', help)
  .action(async (listen: string, connect: string, flags: Flags) => {
    const rules = flags.faults === undefined ? [] : readRules(flags.faults);
    const stopping = onSignal();
    const proxy = new ProxyServer({
      listen,
      connect,
      relisten: flags.relisten ?? false,
      refused: (error) => process.stderr.write(`vfio-user-proxy: ${error.message}\n`),
    });
    void stopping.then(() => proxy.stop());
    try {
      for (const rule of rules) proxy.setFault(rule);
      if (flags.trace !== undefined) proxy.startTrace(flags.trace);
      const control = flags.control === undefined ? undefined : await serveControl(flags.control, proxyMethods(proxy));
      try {
        await proxy.run();
      } finally {
        await control?.close();
      }
    } finally {
      proxy.close();
    }
  });

void run(program);
