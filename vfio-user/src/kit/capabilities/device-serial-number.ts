import { type Capability, capability } from './capability.ts';

export function deviceSerialNumber(serial: bigint): Capability {
  return capability(0x0003, 12, (view) => view.setBigUint64(4, BigInt.asUintN(64, serial), true), { version: 1 });
}
