import { VfioUserError } from '../errors.ts';
import { FaultEngine } from '../faults/engine.ts';
import type { FaultRule } from '../faults/rule.ts';
import { PciIrq } from '../protocol/index.ts';
import type { DeviceServer } from '../server/device-server.ts';
import { startTrace, stopTrace } from '../trace/control.ts';

type Parameters = Record<string, unknown>;
type Outside = (rule: FaultRule) => void;

/** What can be asked of any function while it runs, beside what its device understands itself. */
export const requests: Record<string, (server: DeviceServer, parameters: Parameters, outside?: Outside) => unknown> = {
  registers: ({ device }) => device.describe?.() ?? [],
  stats: (server) => ({
    connected: server.session !== undefined,
    refusals: server.refusals,
    droppedWrites: server.device.droppedWrites ?? 0,
    dmaRegions: server.dma.regions.length,
    msixVectors: server.irqs.count(PciIrq.MSIX),
  }),
  'fault-set': (server, { rule }, outside) => {
    engineOf(server, outside).set(rule);
  },
  'fault-list': (server) => (server.faults instanceof FaultEngine ? server.faults.list() : []),
  'fault-clear': (server, { rule }) => {
    const { faults } = server;
    const cleared = faults instanceof FaultEngine ? faults.clear(rule as string | undefined) : 0;
    if (rule !== undefined && cleared === 0)
      throw new VfioUserError('NOT_FOUND', `no fault ${JSON.stringify(rule)} is set`);
    if (faults instanceof FaultEngine && faults.isEmpty) removeEngine(server);
    return { cleared };
  },
  interrupt: (server, { vector }) => {
    if (typeof vector !== 'number') throw new VfioUserError('INVALID_OPTION', 'vector: give a number');
    return { result: server.irqs.trigger(PciIrq.MSIX, vector) };
  },
  'trace-start': startTrace,
  'trace-stop': stopTrace,
};

/** The engine costs nothing until the first rule. */
function engineOf(server: DeviceServer, outside?: Outside): FaultEngine {
  if (server.faults instanceof FaultEngine) return server.faults;
  const engine = new FaultEngine((ms, work) => void server.timers.after(ms, work), outside);
  server.faults = engine;
  server.awayMs = () => engine.awayMs;
  server.irqs.deliver = (index, vector, fire) => engine.deliver(index, vector, fire);
  server.dma.check = (_address, _length, write) => engine.checkDma(write);
  return engine;
}

function removeEngine(server: DeviceServer): void {
  server.faults = undefined;
  server.awayMs = undefined;
  server.irqs.deliver = undefined;
  server.dma.check = undefined;
}
