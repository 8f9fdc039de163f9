/**
 * QEMU's educational device, from its public documentation: identification, liveness check, factorial, interrupts (INTx
 * or MSI) and a DMA engine with a 4 KiB buffer at 0x40000.
 */
import { pciDevice, serve } from '@kata-mock/vfio-user';

const BUFFER_AT = 0x40000n;
const BUFFER_BYTES = 4096n;
/** Status of the factorial: computing, and whether to interrupt when done. */
const [COMPUTING, FACTORIAL_INTERRUPT] = [0x01, 0x80];
/** DMA command: start, from the device to memory, interrupt when done. */
const [START, TO_MEMORY, DMA_INTERRUPT] = [1n, 2n, 4n];
const DMA_CAUSE = 0x100;

const buffer = new Uint8Array(Number(BUFFER_BYTES));
let pending = 0;

const device = pciDevice({
  name: 'edu',
  vendor: 0x1234,
  device: 0x11e8,
  classCode: 0x00ff00,
  revision: 0x10,
  interrupts: { intx: true, msi: 1 },
  registers: {
    0: {
      size: 1 << 20,
      registers: {
        IDENTIFICATION: { offset: 0x00, access: 'RO', reset: 0x0100_00ed },
        LIVENESS: { offset: 0x04, write: (value) => registers().set('LIVENESS', ~value >>> 0) ?? false },
        FACTORIAL: { offset: 0x08, write: startFactorial },
        STATUS: { offset: 0x20, write: setStatus },
        INTERRUPT_STATUS: { offset: 0x24, access: 'RO', read: () => pending },
        INTERRUPT_RAISE: { offset: 0x60, access: 'WO', write: (causes) => raise(causes) },
        INTERRUPT_ACKNOWLEDGE: { offset: 0x64, access: 'WO', write: (causes) => acknowledge(causes) },
        DMA_SOURCE: { offset: 0x80, width: 8 },
        DMA_TARGET: { offset: 0x88, width: 8 },
        DMA_COUNT: { offset: 0x90, width: 8 },
        DMA_COMMAND: { offset: 0x98, width: 8, write: startDma },
      },
    },
  },
  reset() {
    pending = 0;
    buffer.fill(0);
  },
});

const registers = () => device.blocks[0]!;

function raise(causes: number): void {
  pending |= causes;
  if (device.interrupts.messageSignalled) device.interrupts.raise(0);
  else device.interrupts.setLine(pending !== 0);
}

function acknowledge(causes: number): void {
  pending &= ~causes;
  if (!device.interrupts.messageSignalled) device.interrupts.setLine(pending !== 0);
}

/** A new number is taken only while none is being worked on. */
function startFactorial(value: number): boolean {
  if ((registers().get('STATUS') & COMPUTING) !== 0) return false;
  registers().set('STATUS', registers().get('STATUS') | COMPUTING);
  device.bus.task(() => {
    let result = 1;
    for (let factor = value; factor > 1 && result !== 0; factor--) result = Math.imul(result, factor);
    registers().set('FACTORIAL', result >>> 0);
    const status = registers().get('STATUS') & ~COMPUTING;
    registers().set('STATUS', status);
    if ((status & FACTORIAL_INTERRUPT) !== 0) raise(1);
  });
  return true;
}

/** Only the interrupt bit can be written. */
function setStatus(value: number): boolean {
  const kept = registers().get('STATUS') & ~FACTORIAL_INTERRUPT;
  registers().set('STATUS', kept | (value & FACTORIAL_INTERRUPT));
  return false;
}

function startDma(_value: number, _device: unknown, exact: number | bigint): void {
  const command = BigInt(exact);
  if ((command & START) === 0n) return;
  device.bus.task(() => {
    try {
      transfer((command & TO_MEMORY) !== 0n);
    } catch (error) {
      device.log(`DMA: ${(error as Error).message}`, 'warn');
    }
    // Also when it failed, which the device has no register for: who waits for its end must not wait for ever.
    registers().set('DMA_COMMAND', command & ~START);
    if ((command & DMA_INTERRUPT) !== 0n) raise(DMA_CAUSE);
  });
}

function transfer(toMemory: boolean): void {
  const [source, target, count] = ['DMA_SOURCE', 'DMA_TARGET', 'DMA_COUNT'].map((name) => registers().getBig(name));
  const inside = toMemory ? source! : target!;
  if (inside < BUFFER_AT || inside + count! > BUFFER_AT + BUFFER_BYTES)
    throw new RangeError(`${count} bytes at 0x${inside.toString(16)} leave the buffer`);
  const at = Number(inside - BUFFER_AT);
  const part = buffer.subarray(at, at + Number(count));
  if (toMemory) device.bus.dma.write(target!, part);
  else device.bus.dma.read(source!, part);
}

export default device;
await serve(import.meta.url);
