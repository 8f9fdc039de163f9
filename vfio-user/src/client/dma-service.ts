import { VfioUserError } from '../errors.ts';
import {
  Command,
  type DmaLayout,
  decodeDmaAccess,
  dmaData,
  Errno,
  encodeDmaRead,
  encodeDmaWrite,
  encodeMessage,
  type Frame,
  HeaderFlag,
  MAX_DATA_XFER_BYTES,
} from '../protocol/index.ts';

/** The memory a client gives the server by messages. Throws a VfioUserError with the errno the server is told. */
export interface GuestMemory {
  read(address: bigint, count: number): Uint8Array;
  write(address: bigint, data: Uint8Array): void;
}

/** The reply to a command of the server, as libvfio-user's (`spec`) or QEMU's clients answer; undefined for none. */
export function serveDma(frame: Frame, memory: GuestMemory | undefined, layout: DmaLayout): Uint8Array | undefined {
  const reply = (errno: number, payload?: Uint8Array) =>
    encodeMessage(
      {
        id: frame.id,
        command: frame.command,
        flags: HeaderFlag.TYPE_REPLY | (errno === 0 ? 0 : HeaderFlag.ERROR),
        errno,
      },
      payload,
    );
  try {
    const payload = run(frame, memory, layout);
    return (frame.flags & HeaderFlag.NO_REPLY) !== 0 ? undefined : reply(0, payload);
  } catch (error) {
    return reply((error instanceof VfioUserError && error.errno) || Errno.EINVAL);
  }
}

function run(frame: Frame, memory: GuestMemory | undefined, layout: DmaLayout): Uint8Array | undefined {
  if (frame.command !== Command.DMA_READ && frame.command !== Command.DMA_WRITE)
    throw new VfioUserError('PROTOCOL', 'not a DMA command', { errno: Errno.ENOSYS });
  if (!memory) throw new VfioUserError('DMA', 'this client has no memory', { errno: Errno.ENODEV });
  const { address, count } = decodeDmaAccess(frame, layout);
  if (count > MAX_DATA_XFER_BYTES) throw new VfioUserError('PROTOCOL', `${count} bytes`, { errno: Errno.E2BIG });
  if (frame.command === Command.DMA_READ) return encodeDmaWrite(address, memory.read(address, count), layout);
  memory.write(address, dmaData(frame, layout).slice());
  return layout === 'qemu' ? undefined : encodeDmaRead({ address, count }, layout);
}
