import { IrqSetFlag } from './constants.ts';
import { protocolError } from './errno.ts';
import { newPayload, type Payload, requireArgsz, requireBytes } from './fields.ts';

export interface SetIrqs {
  /** {@link PciIrq}. */
  index: number;
  /** First vector. */
  start: number;
  /** Vectors. */
  count: number;
  data: 'none' | 'bool' | 'eventfd';
  action: 'mask' | 'unmask' | 'trigger';
  /** Only with data `bool`: which of the vectors are meant. */
  bools?: boolean[];
}

export const SET_IRQS_BYTES = 20;

const dataFlags = {
  none: IrqSetFlag.DATA_NONE,
  bool: IrqSetFlag.DATA_BOOL,
  eventfd: IrqSetFlag.DATA_EVENTFD,
} as const;
const actionFlags = {
  mask: IrqSetFlag.ACTION_MASK,
  unmask: IrqSetFlag.ACTION_UNMASK,
  trigger: IrqSetFlag.ACTION_TRIGGER,
} as const;
const dataOf = new Map(Object.entries(dataFlags).map(([name, flag]) => [flag as number, name as SetIrqs['data']]));
const actionOf = new Map(
  Object.entries(actionFlags).map(([name, flag]) => [flag as number, name as SetIrqs['action']]),
);

export function encodeSetIrqs(set: SetIrqs): Uint8Array {
  const bools = set.bools ?? [];
  const { bytes, view } = newPayload(SET_IRQS_BYTES + bools.length);
  view.setUint32(0, bytes.length, true);
  view.setUint32(4, dataFlags[set.data] | actionFlags[set.action], true);
  view.setUint32(8, set.index, true);
  view.setUint32(12, set.start, true);
  view.setUint32(16, set.count, true);
  bools.forEach((flag, index) => {
    bytes[SET_IRQS_BYTES + index] = flag ? 1 : 0;
  });
  return bytes;
}

/** Checks everything that does not need to know the device: shape, flags, number of bools. */
export function decodeSetIrqs(payload: Payload): SetIrqs {
  requireBytes(payload, SET_IRQS_BYTES, 'DEVICE_SET_IRQS');
  const { view, start: at } = payload;
  requireArgsz(view.getUint32(at, true), SET_IRQS_BYTES, 'DEVICE_SET_IRQS');
  const flags = view.getUint32(at + 4, true);
  const data = dataOf.get(flags & 0x07);
  const action = actionOf.get(flags & 0x38);
  if (data === undefined || action === undefined || (flags & ~0x3f) !== 0)
    throw protocolError(`DEVICE_SET_IRQS: flags 0x${flags.toString(16)} do not name one data type and one action`);
  const set: SetIrqs = {
    index: view.getUint32(at + 8, true),
    start: view.getUint32(at + 12, true),
    count: view.getUint32(at + 16, true),
    data,
    action,
  };
  if (data === 'bool') {
    const given = payload.length - SET_IRQS_BYTES;
    if (given !== set.count) throw protocolError(`DEVICE_SET_IRQS: ${given} bools for ${set.count} vectors`);
    set.bools = Array.from(payload.bytes.subarray(at + SET_IRQS_BYTES, at + payload.length), (byte) => byte !== 0);
  }
  return set;
}
