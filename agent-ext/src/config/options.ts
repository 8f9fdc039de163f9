import { parseArgs } from 'node:util';
import type { AgentConfig } from './config.ts';

const HELP = `usage: agent [--listen ADDRESS]... [--port NAME] [--proxy-to ADDRESS] [--base DIR] [--log LEVEL] [--no-init]

Kata's guest agent with mock devices. As the first program of a guest it needs no options: see docs/agent.md.

  --listen ADDRESS    serve ttrpc here instead of vsock port 1024; unix:///path, vsock://cid:port; may be repeated
  --port NAME         serve this virtio-serial port; with --listen there is none otherwise
  --proxy-to ADDRESS  pass calls on to the agent there, after device handling, instead of running containers
  --base DIR          keep containers in DIR/containers instead of /run/kata-containers, state and CDI specs beside them
  --log LEVEL         trace, debug, info, warn or error
  --no-init           do not mount, load modules at the start or power off, even as process 1

example: agent --listen unix:///run/agent.sock --base /tmp/agent --no-init
`;

export interface AgentOptions {
  readonly overrides: Partial<AgentConfig>;
  readonly base: string | undefined;
  readonly noInit: boolean;
}

/** Reads the program's arguments. The kernel passes what it does not know to PID 1, so unknown ones are let be there. */
export function agentOptions(args: readonly string[]): AgentOptions {
  if (args.includes('--help')) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  const { values } = parseArgs({
    args: [...args],
    strict: process.pid !== 1,
    options: {
      listen: { type: 'string', multiple: true },
      port: { type: 'string' },
      'proxy-to': { type: 'string' },
      base: { type: 'string' },
      log: { type: 'string' },
      'no-init': { type: 'boolean' },
    },
  });
  const listen = (values.listen as string[] | undefined) ?? [];
  return {
    overrides: {
      ...(listen.length > 0 ? { listen, virtioPort: '' } : {}),
      ...(values.port ? { virtioPort: values.port as string } : {}),
      ...(values['proxy-to'] ? { proxyTo: values['proxy-to'] as string } : {}),
      ...(values.log ? { logLevel: values.log as AgentConfig['logLevel'] } : {}),
    },
    base: values.base as string | undefined,
    noInit: values['no-init'] === true,
  };
}
