import { VfioUserError } from '../errors.ts';
import type { Bar } from '../kit/bar.ts';
import { advancedErrorReporting, type Capability, deviceSerialNumber, sriov } from '../kit/capabilities/index.ts';
import { PciFunction } from '../kit/pci-function.ts';
import { RegisterBlock } from '../kit/registers/register-block.ts';
import type { RegisterBook } from '../register-book/book.ts';
import { Aperture, DeviceMemory } from './device-memory.ts';
import { DmaEngine } from './dma-engine.ts';
import {
  APERTURE_BAR,
  Capabilities,
  IrqStatus,
  MSIX_BAR,
  MSIX_PBA_OFFSET,
  MSIX_TABLE_OFFSET,
  PCI_DEVICE_ID_VF,
  REGISTER_BAR,
  VECTORS,
} from './gen/registers.ts';
import { IrqBlock } from './irq-block.ts';
import { type MockAccelOptions, type MockAccelSettings, resolveOptions } from './options.ts';
import { Passphrase } from './passphrase.ts';
import book from './registers.json' with { type: 'json' };
import { checkReload, reloadIdentity } from './reload.ts';
import { restoreState, saveState } from './saved-state.ts';
import { hideFromScan, leaveExtendedSpaceToUs } from './visibility.ts';
import { builtInWords, readWords } from './words.ts';

/** Makes one mock-accel function. Throws INVALID_OPTION. */
export function createMockAccel(options: MockAccelOptions = {}): PciFunction {
  let settings = resolveOptions(options);
  const block = (book as RegisterBook).blocks[0]!;
  const pf = !settings.vf;
  const here = block.registers.filter(({ functions }) => functions === undefined || (functions === 'pf') === pf);
  const memory = new DeviceMemory(settings.memorySize);
  const irqs = new IrqBlock(() => registers);
  const words = settings.wordList === undefined ? builtInWords : readWords(settings.wordList);
  const passphrase = new Passphrase(() => registers, irqs, words);
  const dma = new DmaEngine(() => registers, irqs, memory);
  const registers: RegisterBlock = new RegisterBlock(
    { size: block.size, registers: here },
    {
      ...irqs.handlers(),
      ...passphrase.handlers(),
      ...(settings.dma ? dma.handlers() : {}),
      ...(pf ? { SRIOV_NUM_VFS: { write: (vfs: number) => vfs <= settings.totalVfs } } : {}),
    },
  );
  applyResetValues(registers, settings);
  const changed = (vfs: number) => {
    registers.set('SRIOV_NUM_VFS', vfs);
    irqs.raise(IrqStatus.VF_CHANGE);
  };
  const fn = new PciFunction({
    name: pf ? 'mock-accel' : `mock-accel-vf${options.vfIndex ?? 0}`,
    vendor: settings.vendor,
    device: settings.device,
    subsystemVendor: settings.subsystemVendor,
    subsystem: settings.subsystem,
    classCode: settings.classCode,
    revision: settings.revision,
    bars: bars(registers, memory, settings),
    interrupts: {
      intx: settings.intx && pf,
      msix: settings.msix
        ? { vectors: VECTORS, bar: MSIX_BAR, tableOffset: MSIX_TABLE_OFFSET, pbaOffset: MSIX_PBA_OFFSET }
        : undefined,
    },
    extendedCapabilities: extendedCapabilities(settings, changed),
    migration: {
      get shape() {
        return `memory of ${memory.size} bytes`;
      },
      memory,
      save: () => saveState(registers, dma),
      restore: (state) => restoreState(state, registers, dma),
      stop() {
        for (const { work } of [passphrase, dma]) work.stop();
      },
      run() {
        for (const { work } of [passphrase, dma]) work.run();
      },
    },
    reset(reason) {
      // What one VM left in memory is not for the next one to read.
      if (reason === 'disconnect') memory.close();
      registers.reset();
      for (const { work } of [passphrase, dma]) work.reset();
    },
    attached(attached) {
      for (const part of [irqs, passphrase.work, dma.work]) part.attached(attached);
    },
    closed: () => memory.close(),
    describe: () => registers.describe(),
    control(request, parameters) {
      if (request !== 'reload') throw new VfioUserError('NOT_FOUND', `no request ${JSON.stringify(request)}`);
      const next = resolveOptions((parameters['options'] ?? {}) as MockAccelOptions);
      checkReload(settings, next);
      if (next.wordList !== settings.wordList)
        passphrase.words = next.wordList === undefined ? builtInWords : readWords(next.wordList);
      memory.size = next.memorySize;
      applyResetValues(registers, next, settings);
      settings = next;
      reloadIdentity(fn, settings);
      return { reloaded: true };
    },
  });
  if (settings.vf) hideFromScan(fn.config);
  else if (settings.totalVfs > 0) leaveExtendedSpaceToUs(fn.config);
  return fn;
}

/** `before`: what a reload replaces. STATUS is the guest's as long as its option stays. */
function applyResetValues(registers: RegisterBlock, settings: MockAccelSettings, before?: MockAccelSettings): void {
  registers.setReset('UUID', settings.uuid);
  registers.setReset('MEMORY_SIZE', settings.memorySize);
  if (settings.status !== before?.status) registers.setReset('STATUS', settings.status);
  registers.setReset('FW_VERSION', settings.firmwareVersion);
  registers.setReset(
    'CAPABILITIES',
    Capabilities.COMPUTE |
      (settings.dma ? Capabilities.DMA : 0) |
      (settings.msix ? Capabilities.MSIX : 0) |
      (settings.aperture > 0 ? Capabilities.APERTURE : 0) |
      (settings.totalVfs > 0 ? Capabilities.SRIOV : 0),
  );
  if (!settings.vf) registers.setReset('SRIOV_TOTAL_VFS', settings.totalVfs);
}

function bars(registers: RegisterBlock, memory: DeviceMemory, settings: MockAccelSettings): Record<number, Bar> {
  const result: Record<number, Bar> = { [REGISTER_BAR]: { region: registers } };
  if (settings.aperture > 0)
    result[APERTURE_BAR] = { prefetchable: true, region: new Aperture(memory, settings.aperture) };
  return result;
}

function extendedCapabilities(settings: MockAccelSettings, changed: (vfs: number) => void): Capability[] {
  const serial = Buffer.from(settings.uuid).readBigUInt64LE(8) ^ Buffer.from(settings.uuid).readBigUInt64LE(0);
  const list = [deviceSerialNumber(serial), advancedErrorReporting()];
  if (settings.totalVfs === 0) return list;
  return [sriov({ totalVfs: settings.totalVfs, vfDeviceId: PCI_DEVICE_ID_VF, vfBarBytes: 4096, changed }), ...list];
}
