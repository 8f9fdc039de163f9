/**
 * Echo: copies a buffer of the guest to another one and raises an MSI-X interrupt.
 * Registers of BAR0: SOURCE at 0, TARGET at 8 (guest addresses), LENGTH at 16 (at most 64 KiB), START at 20 (write 1),
 * COUNT at 24 (copies done).
 */
import { pciDevice, serve } from '@kata-mock/vfio-user';

const MAX_BYTES = 65_536;
let copies = 0;

const device = pciDevice({
  name: 'echo',
  vendor: 0x1de5,
  device: 0x00fe,
  classCode: 0xff0000,
  interrupts: { msix: { vectors: 1, bar: 2, tableOffset: 0, pbaOffset: 0x800 } },
  registers: {
    0: {
      size: 4096,
      registers: {
        SOURCE: { offset: 0, width: 8 },
        TARGET: { offset: 8, width: 8 },
        LENGTH: { offset: 16, write: (bytes) => bytes <= MAX_BYTES },
        // The copy waits until the write is answered: guest memory may only be reachable by messages.
        START: { offset: 20, access: 'WO', write: (value, { bus }) => value === 1 && bus.task(copy) },
        COUNT: { offset: 24, access: 'RO', read: () => copies },
      },
    },
  },
  reset() {
    copies = 0;
  },
});

function copy(): void {
  const registers = device.blocks[0]!;
  const bytes = new Uint8Array(registers.get('LENGTH'));
  device.bus.dma.read(registers.getBig('SOURCE'), bytes);
  device.bus.dma.write(registers.getBig('TARGET'), bytes);
  copies++;
  device.interrupts.raise(0);
}

export default device;
await serve(import.meta.url);
