import type { UntranslatedPolicy } from './spec/environment.ts';

/** What an operator can set; the agent reads it from the kernel command line. */
export interface DeviceSettings {
  /** `agent.hotplug_timeout`, in ms: how long a device may take to come. */
  readonly hotplugTimeoutMs: number;
  /** `agent.cdi_timeout`, in ms: how long a guest CDI spec may take to come. */
  readonly cdiTimeoutMs: number;
  /** `agent.visible_cdi_devices`: whether the variable VISIBLE_CDI_DEVICES asks for devices. */
  readonly visibleCdiDevices: boolean;
  readonly untranslated: UntranslatedPolicy;
}

export const defaultSettings: DeviceSettings = {
  hotplugTimeoutMs: 3_000,
  cdiTimeoutMs: 100_000,
  visibleCdiDevices: false,
  untranslated: 'error',
};
