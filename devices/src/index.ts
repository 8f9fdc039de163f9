/**
 * Device handling of a CreateContainer request in a guest: find what was plugged, plan what the container's OCI spec
 * must become, apply it. `handleDevices` does all of it; the parts serve tests, `kata-mock explain` and proxies.
 */
export { AddressMap } from './address-map.ts';
export { cdiNamesOf } from './cdi/asked-devices.ts';
export { guestCdiSpec } from './cdi/guest-spec.ts';
export { requestedCdiDevices } from './cdi/requested.ts';
export { VISIBLE_CDI_DEVICES } from './cdi/visible-devices.ts';
export { DeviceError, type DeviceErrorCode } from './errors.ts';
export type { DeviceNode, Guest, Uevent } from './guest/guest.ts';
export { type WaitOptions, waitFor } from './guest/wait.ts';
export {
  GUEST_CDI_DIRECTORY,
  type GuestCdiSpecs,
  type HandleContext,
  type HandledDevices,
  handleDevices,
} from './handle.ts';
export { deviceTypes } from './handlers/index.ts';
export { fromCreateContainer } from './kata-request/container-request.ts';
export { processFromProto, resourcesFromProto, specFromProto } from './kata-request/oci-from-proto.ts';
export { locateNode } from './locate.ts';
export { findMockDevices, type MockDevice, numaNodeOf } from './mock-devices.ts';
export { type ContainerPlan, type PlanContext, planContainer } from './plan.ts';
export type { ContainerRequest, DeviceRequest } from './request.ts';
export { type DeviceSettings, defaultSettings } from './settings.ts';
export { planEnvironment, type UntranslatedPolicy } from './spec/environment.ts';
export { describeStep, type GuestStep, type SpecStep, type Step } from './steps/steps.ts';
