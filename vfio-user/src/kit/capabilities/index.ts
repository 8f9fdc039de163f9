export { advancedErrorReporting } from './advanced-error-reporting.ts';
export { type Capability, capability } from './capability.ts';
export { deviceSerialNumber } from './device-serial-number.ts';
export { msi } from './msi.ts';
export { type MsixLayout, msix } from './msix.ts';
export { type ExpressOptions, pciExpress } from './pci-express.ts';
export { powerManagement } from './power-management.ts';
export { type SriovOptions, sriov } from './sriov.ts';
export { vendorSpecific, vendorSpecificExtended } from './vendor.ts';
