export type { Bar } from './bar.ts';
export * from './capabilities/index.ts';
export { ConfigSpace } from './config-space.ts';
export { Interrupts } from './interrupts.ts';
export { type InlineRegister, PciDevice, type PciDeviceOptions, pciDevice } from './pci-device.ts';
export { PciFunction, type PciFunctionOptions } from './pci-function.ts';
export { RegisterBlock, type RegisterHandler } from './registers/register-block.ts';
