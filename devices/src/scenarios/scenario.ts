import type { InventoryDevice } from '@kata-mock/contracts';
import type { Spec } from '@kata-mock/oci-spec';
import type { TreeDescription } from '@kata-mock/pci/testing';
import type { DeviceRequest } from '../request.ts';
import type { DeviceSettings } from '../settings.ts';

/** One upstream problem as a machine, one or more requests, and what must come of them. */
export interface Scenario {
  /** Upstream issue, pull request or commit: `kata-containers#5676`; `latent-a` for defects seen in code only. */
  readonly issue: string;
  readonly title: string;
  readonly description: string;
  readonly tree: TreeDescription;
  readonly arch?: string;
  readonly inventory?: readonly InventoryDevice[];
  readonly settings?: Partial<DeviceSettings>;
  /** Files of the guest's CDI directory by name. */
  readonly cdi?: Readonly<Record<string, unknown>>;
  /** `absent`: the guest has no CDI directory until one comes. */
  readonly cdiDirectory?: 'absent';
  /** CDI files that are written, in place, once a request waits. */
  readonly cdiArrives?: Readonly<Record<string, unknown>>;
  /** The late functions of the tree come once the first request waits. */
  readonly arrives?: boolean;
  readonly cases: readonly ScenarioCase[];
  /** What Kata's own agent does, by version, where it is known. */
  readonly kata?: Readonly<Record<string, string>>;
}

export interface ScenarioCase {
  readonly container: string;
  readonly devices?: readonly Partial<DeviceRequest>[];
  /** Merged into a minimal spec. */
  readonly spec?: Partial<Spec>;
  readonly expect: Expectation;
}

/** Only what is given is compared. */
export interface Expectation {
  readonly error?: { readonly code: string; readonly message: string };
  /** Whole environment. */
  readonly env?: readonly string[];
  /** `linux.devices`, as `path type major:minor`. */
  readonly devices?: readonly string[];
  /** `linux.resources.devices`, as `allow c 240:0 rwm`. */
  readonly rules?: readonly string[];
  readonly addresses?: Readonly<Record<string, string>>;
  /** Masked paths it must contain. */
  readonly masked?: readonly string[];
  /** Values written to sysfs, as `path=value`. */
  readonly writes?: readonly string[];
  readonly warnings?: readonly string[];
  /** The failure must come within this time, in ms: no waiting for what will not come. */
  readonly withinMs?: number;
}
