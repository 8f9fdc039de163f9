import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Inventory } from '@kata-mock/contracts';
import { setChildSubreaper } from '@kata-mock/posix';
import { Cache } from 'cdi-spec';
import { Code, Server } from 'ttrpc-ts';
import type { Agent, AgentPaths } from './agent.ts';
import { type AgentConfig, defaultConfig } from './config/config.ts';
import { AgentError } from './errors.ts';
import { GuestCdi } from './guest/guest-cdi.ts';
import { readInventory } from './guest/inventory.ts';
import { LiveGuest } from './guest/live-guest.ts';
import { loadOnPlug, presentAliases } from './init/coldplug.ts';
import { DEVICE_MODULES, loadModules, TRANSPORT_MODULES } from './init/modules.ts';
import { Reaper } from './init/reaper.ts';
import type { Log } from './log.ts';
import { proxyBackend } from './proxy/backend.ts';
import { runcBackend } from './runc/backend.ts';
import { Runc } from './runc/runc.ts';
import { OomEvents } from './sandbox/oom-events.ts';
import { Sandbox } from './sandbox/sandbox.ts';
import { limitSizes } from './service/check-sizes.ts';
import { translateErrors } from './service/translate-errors.ts';
import { Storages } from './storage/storages.ts';
import { Transports } from './transport/transports.ts';
import { VERSION } from './version.ts';

export interface StartOptions {
  readonly config: AgentConfig;
  readonly log: Log;
  readonly paths: AgentPaths;
  readonly isInit: boolean;
  /** Whether the drivers this agent cannot do without are loaded at the start. */
  readonly loadsModules: boolean;
  /** Called once the sandbox is destroyed and its answer is on the way. */
  onEnd(): void;
}

export interface RunningAgent {
  readonly agent: Agent;
  readonly server: Server;
  readonly transports: Transports;
  /** Ends everything the agent holds, containers aside. */
  stop(): Promise<void>;
}

/** Brings up the agent with runc behind it. Resolves when it listens; devices may still be on their way. */
export async function startAgent(options: StartOptions): Promise<RunningAgent> {
  const { config, log, paths, isInit, onEnd } = options;
  mkdirSync(paths.base, { recursive: true });
  mkdirSync(paths.state, { recursive: true, mode: 0o700 });
  const guest = new LiveGuest((err) => log.warn({ err }, 'no kernel events'));
  // Containers' first processes come to the agent when runc ends; process 1 gets them anyway.
  if (process.pid !== 1) setChildSubreaper();
  const reaper = new Reaper();
  const specDirectory = paths.cdi;
  mkdirSync(specDirectory, { recursive: true });
  // Starting a program takes a guest a while; whoever waits for the agent is answered before that.
  const devices = afterThisTurn().then(() => bringUpDevices(guest, reaper, specDirectory, options));
  let ready: Awaited<typeof devices> | undefined;
  const agent: Agent = {
    version: VERSION,
    config,
    log,
    guest,
    get inventory() {
      return ready?.inventory;
    },
    cdi: {
      cache: new Cache({ specDirs: [specDirectory], autoRefresh: false }),
      specDirectory,
      ensure: (present) => ready?.cdi.ensure(present),
    },
    sandbox: new Sandbox(),
    storages: new Storages({
      guest,
      base: paths.base,
      state: paths.state,
      hotplugTimeoutMs: config.devices.hotplugTimeoutMs,
      warn: (text) => log.warn(text),
    }),
    runc: new Runc(reaper, {
      program: 'runc',
      root: path.join(paths.state, 'runc'),
      bundles: path.join(paths.state, 'bundles'),
    }),
    reaper,
    oom: new OomEvents(paths.cgroup),
    paths,
    isInit,
    devicesReady: devices.then((result) => {
      ready = result;
    }),
    end: onEnd,
  };
  const server = new Server({ interceptors: [translateErrors(log), limitSizes], undecodable: Code.INVALID_ARGUMENT });
  const backend = config.proxyTo === '' ? runcBackend(agent) : proxyBackend(agent);
  backend.register(server);
  const transports = new Transports(server, log);
  transports.servePort(config.virtioPort, guest);
  log.info({ version: VERSION, upMs: upMs() }, 'agent answers');
  await afterThisTurn();
  if (isInit) await loadModules(reaper, log, TRANSPORT_MODULES);
  const stop = async () => {
    transports.close();
    backend.close();
    server.close();
    agent.oom.close();
    (await devices).cdi.close();
    guest.close();
    await reaper.stop();
  };
  try {
    await listen(transports, options);
  } catch (error) {
    await stop();
    throw error;
  }
  log.info({ version: VERSION, listening: transports.open, upMs: upMs() }, 'agent ready');
  return { agent, server, transports, stop };
}

/** An agent that nobody reaches must not look as if it served. */
async function listen(transports: Transports, { config, log, isInit }: StartOptions): Promise<void> {
  // The first program finds its port when the driver is loaded; a service was started after that.
  const mayComeByPort = isInit && config.virtioPort !== '';
  for (const { address, error } of await transports.listen(config.listen)) {
    // Nobody asked for the default by name, so it may be missing where there is another way.
    const isNeeded = !defaultConfig.listen.includes(address) || (transports.open.length === 0 && !mayComeByPort);
    if (isNeeded) {
      const message = `cannot listen on ${JSON.stringify(address)}: ${(error as Error).message}`;
      throw new AgentError('FAILED_PRECONDITION', message, { cause: error });
    }
    log.info({ address, err: error }, 'cannot listen here');
  }
}

/** Loads the modules about devices, reads the inventory and writes the guest's CDI spec, while calls are served already. */
async function bringUpDevices(guest: LiveGuest, reaper: Reaper, specDirectory: string, options: StartOptions) {
  const { log, isInit } = options;
  // As a service the agent finds udev, which has loaded the drivers.
  const modules = [...(options.loadsModules ? DEVICE_MODULES : []), ...(isInit ? presentAliases(guest.sysfs) : [])];
  if (modules.length > 0) await loadModules(reaper, log, modules);
  if (isInit) loadOnPlug(guest, reaper, log);
  let inventory: Inventory | undefined;
  try {
    inventory = readInventory();
  } catch (err) {
    log.error({ err }, 'the inventory of the host cannot be used; devices are told by their registers alone');
  }
  const cdi = new GuestCdi(guest, inventory, specDirectory, (err) => log.warn({ err }, 'cannot write the CDI spec'));
  log.info({ inventory: inventory?.devices.length }, 'devices ready');
  return { inventory, cdi };
}

/** Milliseconds since this process began. */
function upMs(): number {
  return Math.round(performance.now());
}

function afterThisTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
