/**
 * A mock accelerator whose DMA engine does not end its commands. Requests: `stall` {until: "told" | "bus master off"}
 * stalls the commands from now on, `late` tries what a command under way would do next, `go` ends stalling.
 */
import { createMockAccel, type RegisterBlock } from '@kata-mock/vfio-user';
import { DmaCmd, DmaStatus } from '../../vfio-user/src/mock-accel/gen/registers.ts';

const DMA_CMD = 0x434;
const COMMAND = 0x04;

const device = createMockAccel({ uuid: 'STALLING' });
const registers = device.regions[0] as RegisterBlock;

let until: string | undefined;
const busy = () => (registers.get('DMA_STATUS') & 0xff) === DmaStatus.STATE_BUSY;

const write = registers.write.bind(registers);
registers.write = (offset, source, at, count) => {
  const starts = offset === DMA_CMD && (source[at]! & DmaCmd.START) !== 0;
  if (until !== undefined && starts) registers.set('DMA_STATUS', DmaStatus.STATE_BUSY);
  else write(offset, source, at, count);
};

device.config.watch(COMMAND, 2, () => {
  if (until !== 'bus master off' || !busy() || device.bus.dma.enabled) return;
  registers.set('DMA_STATUS', DmaStatus.STATE_ERROR | (DmaStatus.ERROR_BUS_MASTER << DmaStatus.ERROR_SHIFT));
});

device.control = (request, parameters) => {
  if (request === 'stall') until = String(parameters['until']);
  else if (request === 'go') until = undefined;
  else if (request === 'late') return late();
  else throw new Error(`no request ${request}`);
  return null;
};

/** Reaches for the guest memory of the last command; reading, so that the guest survives it. What came of it. */
function late(): string {
  try {
    device.bus.dma.read(registers.getBig('DMA_SRC'), new Uint8Array(16));
    return 'reached';
  } catch (error) {
    return (error as Error).message;
  }
}

export default device;
