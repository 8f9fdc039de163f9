import { closeSync, readFileSync } from 'node:fs';
import { memfdCreate } from '@kata-mock/posix';
import { Client } from '../client/client.ts';
import { VfioUserError } from '../errors.ts';
import { DmaCmd, DmaStatus, Reg } from '../mock-accel/gen/registers.ts';
import { DmaMapFlag, PciRegion } from '../protocol/index.ts';

const SIZE = 2 ** 30;
const ROUNDS = 16;
/** What the server's addresses may grow by, all rounds together. */
const LIMIT = 4 * SIZE;

/** Maps guest memory, lets the device reach it and unmaps it, again and again. Throws when the server keeps addresses. */
export function fuzzMappings(socketPath: string): void {
  const memory = memfdCreate('mappings', { size: SIZE, seal: true });
  const client = Client.connect(socketPath);
  const range = { address: 0n, size: BigInt(SIZE) };
  try {
    client.regionWrite(PciRegion.CONFIG, 4, Uint8Array.of(6, 0));
    client.write32(0, Reg.DMA_LEN, 1);
    const before = addressSpace();
    for (let round = 0; round < ROUNDS; round++) {
      client.dmaMap({ ...range, flags: DmaMapFlag.READ | DmaMapFlag.WRITE, offset: 0n }, memory);
      client.write32(0, Reg.DMA_CMD, DmaCmd.START);
      const state = client.read32(0, Reg.DMA_STATUS) & 0xff;
      if (state !== DmaStatus.STATE_DONE) throw new VfioUserError('DEVICE', `DMA of round ${round} ends in ${state}`);
      client.dmaUnmap(range.address, range.size);
    }
    const grown = addressSpace() - before;
    if (grown > LIMIT) throw new VfioUserError('DEVICE', `${ROUNDS} unmapped regions left ${grown} bytes of addresses`);
  } finally {
    client.close();
    closeSync(memory);
  }
}

/** Bytes of addresses in use by this process. */
function addressSpace(): number {
  return Number(/^VmSize:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024;
}
