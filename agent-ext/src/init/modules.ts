import { AgentError } from '../errors.ts';
import type { Log } from '../log.ts';
import { mustRun, runProgram } from '../run-program.ts';
import type { Reaper } from './reaper.ts';

/** Modules the agent itself needs. One that is built in, or that the image lacks, is no error. */
export const TRANSPORT_MODULES = ['vmw_vsock_virtio_transport'];
export const DEVICE_MODULES = ['qemu_fw_cfg', 'mock-accel'];

/** Loads modules by modprobe, all in one run. */
export async function loadModules(reaper: Reaper, log: Log, modules: readonly string[]): Promise<void> {
  try {
    const { code, stderr } = await runProgram(reaper, 'modprobe', ['--all', '--quiet', '--use-blacklist', ...modules]);
    if (code !== 0) log.debug({ modules, stderr: stderr.trim() }, 'not every module could be loaded');
  } catch (error) {
    log.warn({ modules, err: error }, 'no modprobe in this guest');
  }
}

/** Loads one module a request names. Failure is the request's. */
export async function loadModule(reaper: Reaper, name: string, parameters: readonly string[]): Promise<void> {
  const bad = [name, ...parameters].find((word) => word === '' || word.startsWith('-') || /[\0\s/]/.test(word));
  if (bad !== undefined)
    throw new AgentError('INVALID_ARGUMENT', `invalid kernel module or parameter ${JSON.stringify(bad)}`);
  await mustRun(reaper, 'modprobe', [name, ...parameters]);
}
