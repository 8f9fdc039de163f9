import { Command } from 'commander';
import { controlCall } from '../control/client.ts';
import { VfioUserError } from '../errors.ts';
import { faultKinds } from '../faults/rule.ts';
import type { RegisterValue } from '../server/device.ts';
import { aer, type RemoveOptions, remove } from './outside.ts';

interface CtlFlags {
  device: string;
  output: 'text' | 'json';
  qmp?: string;
  qdev?: string;
  force?: boolean;
}

type Parameters = RemoveOptions & { id: string; argument: string | undefined };
type Action = (socket: string, parameters: Parameters) => Promise<unknown>;

const help = `
Requests:
  list                     functions of the host
  registers                live registers of a function
  stats                    whether a client is connected, refused commands, dropped writes, guest memory
  fault-set RULE           set a fault; RULE is JSON: {"id":…,"when":{…},"fault":{"kind":…}}
  fault-list               faults that are set and how often each struck
  fault-clear [ID]         take one fault away, or all
  fault-events             AER events and removals that wait for who brings them about, each given once
  aer SEVERITY             AER event now: correctable, nonfatal, fatal, or {"correctable":BITS}, {"uncorrectable":BITS};
                           the guest's aer-inject has to carry it out (docs/faults.md)
  remove                   surprise removal: all ones, and with --qmp the device is unplugged
  interrupt VECTOR         raise an MSI-X vector
  trace-start FILE         record every message in a pcapng file
  trace-stop               end the recording
  stop                     end the host

A vfio-user-proxy answers all of them but registers and interrupt, and does not know whether a device has MSI-X.

Fault kinds: ${faultKinds.join(', ')}
Conditions:  access (read, write), region (7 is configuration space), offset, length, vector, nth, times, afterMs,
             probability, seed

Examples:
  mock-accel-server ctl /run/c.sock registers
  mock-accel-server ctl /run/c.sock fault-set '{"id":"s","when":{"access":"read","region":0,"offset":44},"fault":{"kind":"ones"}}'
  mock-accel-server ctl --qmp /run/qmp.sock /run/c.sock remove
  mock-accel-server ctl --output json /run/c.sock fault-list`;

/** `ctl SOCKET REQUEST [ARGUMENT]`: talks to a running host. */
export function ctlCommand(): Command {
  return new Command('ctl')
    .description('Talks to a running host or vfio-user-proxy through its control socket (see --control).')
    .argument('<control-socket>', 'the socket given with --control')
    .argument('<request>', 'what to do; see below')
    .argument('[argument]', 'argument of the request')
    .option('-d, --device <id>', 'which function', 'd0')
    .option('-o, --output <format>', 'text or json', 'text')
    .option('--qmp <socket>', "remove: QEMU's monitor, to unplug the device by")
    .option('--qdev <id>', "remove: the device's id at QEMU (default: its only vfio-user device)")
    .option('--force', 'remove: also where it ends QEMU')
    .addHelpText('after', help)
    .action(async (socket: string, request: string, argument: string | undefined, flags: CtlFlags) => {
      const action = Object.hasOwn(actions, request) ? actions[request] : undefined;
      if (!action)
        throw new VfioUserError(
          'INVALID_OPTION',
          `request ${JSON.stringify(request)}; there are ${Object.keys(actions).join(', ')}`,
        );
      const { device: id, qmp, qdev, force } = flags;
      const result = await action(socket, { id, argument, qmp, qdev, force });
      process.stdout.write(`${flags.output === 'json' ? JSON.stringify(result) : asText(result)}\n`);
    });
}

const plain =
  (method: string): Action =>
  (socket, { id }) =>
    controlCall(socket, method, { id });

function ruleOf(argument: string | undefined): unknown {
  try {
    return JSON.parse(argument ?? '');
  } catch (cause) {
    throw new VfioUserError(
      'INVALID_OPTION',
      `fault-set ${JSON.stringify(argument ?? '')}: ${(cause as Error).message}; give a rule as JSON`,
      { cause },
    );
  }
}

const actions: Record<string, Action> = {
  list: (socket) => controlCall(socket, 'list'),
  registers: plain('registers'),
  stats: plain('stats'),
  'fault-set': (socket, { id, argument }) => controlCall(socket, 'fault-set', { id, rule: ruleOf(argument) }),
  'fault-list': plain('fault-list'),
  'fault-clear': (socket, { id, argument }) => controlCall(socket, 'fault-clear', { id, rule: argument }),
  'fault-events': plain('fault-events'),
  aer: (socket, { id, argument }) => aer(socket, id, argument),
  remove: (socket, { id, ...options }) => remove(socket, id, options),
  interrupt: (socket, { id, argument }) => controlCall(socket, 'interrupt', { id, vector: Number(argument) }),
  'trace-start': (socket, { id, argument }) => controlCall(socket, 'trace-start', { id, file: argument }),
  'trace-stop': plain('trace-stop'),
  stop: (socket) => controlCall(socket, 'stop'),
};

function asText(result: unknown): string {
  if (result === null || result === undefined) return 'done';
  if (!Array.isArray(result))
    return Object.entries(result as object)
      .map(([key, value]) => `${key}: ${value}`)
      .join('\n');
  return result
    .map((entry: Record<string, unknown> | RegisterValue) =>
      'offset' in entry && 'width' in entry
        ? `0x${Number(entry.offset).toString(16).padStart(3, '0')}  ${String(entry.name).padEnd(18)} ${entry.value}`
        : JSON.stringify(entry),
    )
    .join('\n');
}
