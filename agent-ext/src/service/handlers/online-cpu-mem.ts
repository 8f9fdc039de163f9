import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { waitFor } from '@kata-mock/devices';
import { readAttribute, readNamesIfAny } from '@kata-mock/pci';
import type { Agent } from '../../agent.ts';
import { AgentError } from '../../errors.ts';
import type { Method } from '../method.ts';

/** How long plugged processors may take to show up; as long as Kata's agent waits. */
const WAIT_MS = 5_000;

/**
 * Puts hot-plugged processors and memory to use. The shim asks as soon as QEMU has taken the processors, which is before
 * the guest's kernel has seen them, so they are waited for, whatever `wait` says: no shim sets it.
 *
 * `nbCpus` means two things: with `cpuOnly` the shim in Go says how many it has added; otherwise the one in Rust says
 * how many there are now. 0 asks for nothing in particular.
 */
export const onlineCPUMem: Method<'onlineCPUMem'> = (agent) => {
  /** Processors that were there before, or that earlier calls were about: those since are what a call counts. */
  let known = countOnline(agent.guest.sysfs);
  let underWay = 0;
  return async ({ nbCpus, cpuOnly }, { signal }) => {
    // Nobody tells of unplugged ones. Those that other calls wait for are not there yet, either.
    if (underWay === 0) known = Math.min(known, countOnline(agent.guest.sysfs));
    const wanted = cpuOnly ? known + nbCpus : nbCpus;
    known = Math.max(known, wanted);
    underWay++;
    await bringProcessors(agent, nbCpus, wanted, signal).finally(() => underWay--);
    if (!cpuOnly) bringOnline(agent, 'memory', /^memory\d+$/, new Set());
    return {};
  };
};

async function bringProcessors(agent: Agent, nbCpus: number, wanted: number, signal: AbortSignal): Promise<void> {
  const failed = new Set<string>();
  const look = () => {
    bringOnline(agent, 'cpu', CPU, failed);
    return countOnline(agent.guest.sysfs) >= wanted || undefined;
  };
  if (nbCpus === 0) return void look();
  if (await waitFor(agent.guest, look, { timeoutMs: WAIT_MS, signal })) return;
  const online = countOnline(agent.guest.sysfs);
  const message = `${nbCpus} processors were promised and ${wanted} should be online, ${online} are after ${WAIT_MS} ms`;
  // Some were online before anybody asked for them; for Kata's agent the number alone counts.
  if (online < nbCpus) throw new AgentError('FAILED_PRECONDITION', message);
  agent.log.warn(message);
}

const CPU = /^cpu\d+$/;

/** Processors in use. The first has no file `online` on most kernels: it cannot go. */
function countOnline(sysfs: string): number {
  const directory = path.join(sysfs, 'devices/system/cpu');
  const isOnline = (name: string) => CPU.test(name) && readAttribute(path.join(directory, name), 'online') !== '0';
  return readNamesIfAny(directory).filter(isOnline).length;
}

/** @param failed those that would not, which are told once */
function bringOnline(agent: Agent, kind: 'cpu' | 'memory', pattern: RegExp, failed: Set<string>): void {
  const directory = path.join(agent.guest.sysfs, 'devices/system', kind);
  for (const name of readNamesIfAny(directory)) {
    if (!pattern.test(name) || readAttribute(path.join(directory, name), 'online') !== '0') continue;
    try {
      writeFileSync(path.join(directory, name, 'online'), '1');
    } catch (error) {
      if (!failed.has(name)) agent.log.warn({ [kind]: name, err: error }, 'cannot bring online');
      failed.add(name);
    }
  }
}
