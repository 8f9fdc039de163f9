/**
 * PCI addresses, paths and what sysfs says about them. Reads files below a sysfs mount point that the caller names, so
 * the same code serves a live machine, a guest and a fake tree (see `@kata-mock/pci/testing`).
 */
export { type Address, compareAddresses, formatAddress, formatBus, isAddressName, parseAddress } from './address.ts';
export { type DeviceTreePath, FIRST_PXB_BUS, formatDeviceTreePath, parseDeviceTreePath } from './device-tree-path.ts';
export { PciError, type PciErrorCode } from './errors.ts';
export { isBridge, linkName, type PciFunction, readAttribute, readFunction, type SriovLinks } from './function.ts';
export { formatPath, type PciPath, parsePath } from './path.ts';
export { type ResolvedFunction, resolveDeviceTreePath } from './resolve.ts';
export { findRootBus, listRootBuses, type RootBus } from './root-bus.ts';
export { formatSlotFunction, parseSlotFunction, type SlotFunction } from './slot-function.ts';
export { isMissing, readEntries, readEntriesIfAny, readNames, readNamesIfAny } from './sysfs-names.ts';
export { downstreamBus, pciPathToSysfs } from './sysfs-path.ts';
export { deviceTreePathOf, functionsOf, type RootComplex, readTopology, type TopologyNode } from './topology.ts';
