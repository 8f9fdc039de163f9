import { guestPaths } from './agent.ts';
import { configFrom, unusedSettings } from './config/config.ts';
import { readKernelCommandLine } from './config/kernel-command-line.ts';
import { agentOptions } from './config/options.ts';
import { initialise } from './init/init.ts';
import { powerOff } from './init/power-off.ts';
import { endOfAChild } from './init/reaper.ts';
import { makeLog } from './log.ts';
import { startAgent } from './start.ts';

/** Long enough for the last answer to leave, short enough that nobody waits for calls that never end. */
const GRACE_MS = 300;

/** The whole program: reads its arguments and the kernel's, serves, and ends the process or the machine. */
export async function runAgent(): Promise<void> {
  const options = agentOptions(process.argv.slice(2));
  const isInit = process.pid === 1 && !options.noInit;
  const early = makeLog('info');
  if (isInit) initialise(early);

  const warnings: string[] = [];
  const { env } = process;
  const words = readKernelCommandLine();
  const config = { ...configFrom(words, (message) => warnings.push(message), env), ...options.overrides };
  const log = makeLog(config.logLevel);
  for (const message of warnings) log.warn(message);
  if (config.proxyTo === '') {
    for (const name of unusedSettings(words, env)) log.warn(`${name} has no effect on this agent`);
  }

  const end = async (code: number) => {
    const running = await starting;
    await running.server.shutdown({ graceMs: GRACE_MS }).catch(() => {});
    if (isInit) powerOff();
    await running.stop();
    process.exit(code);
  };

  const die = (error: unknown): never => {
    log.fatal({ err: error }, 'agent failed');
    if (isInit) powerOff();
    endOfAChild();
    process.exit(1);
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);

  const { base } = options;
  const paths =
    base === undefined
      ? guestPaths
      : { ...guestPaths, base: `${base}/containers`, state: `${base}/state`, cdi: `${base}/cdi` };
  const onEnd = () => setImmediate(() => void end(0));
  const starting = startAgent({ config, log, paths, isInit, loadsModules: !options.noInit, onEnd }).catch(die);
  if (!isInit) for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(0));
  await starting;
}
