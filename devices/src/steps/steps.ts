import type { LinuxDevice, LinuxDeviceCgroup } from '@kata-mock/oci-spec';

/** Something done to the guest before a container can have a device. */
export type GuestStep =
  | {
      /** Overrides the driver of a function and rebinds it. */
      readonly kind: 'bind-driver';
      readonly address: string;
      readonly devpath: string;
      readonly driver: string;
    }
  | {
      /** Asks every SCSI host to look for one disk. */
      readonly kind: 'scan-scsi';
      readonly target: number;
      readonly lun: number;
    };

/** One change to the OCI spec. Every step says why it is there. */
export type SpecStep = { readonly reason: string } & (
  | { readonly kind: 'set-device'; readonly path: string; readonly patch: Partial<LinuxDevice> }
  | { readonly kind: 'rewrite-rule'; readonly index: number; readonly major: number; readonly minor: number }
  | { readonly kind: 'remove-rule'; readonly index: number }
  | { readonly kind: 'add-rule'; readonly rule: LinuxDeviceCgroup }
  | { readonly kind: 'mask-path'; readonly path: string }
  | { readonly kind: 'set-env'; readonly index: number; readonly name: string; readonly entry: string }
);

export type Step = GuestStep | SpecStep;

/** A step in one line for people: a verb, its object and the numbers. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case 'bind-driver':
      return `bind ${step.address} to ${step.driver}`;
    case 'scan-scsi':
      return `scan SCSI hosts for ${step.target}:${step.lun}`;
    case 'set-device':
      return `set ${step.path} to ${Object.entries(step.patch)
        .map(([key, value]) => `${key}=${value}`)
        .join(' ')}`;
    case 'rewrite-rule':
      return `rewrite device rule ${step.index} to ${step.major}:${step.minor}`;
    case 'remove-rule':
      return `remove device rule ${step.index}`;
    case 'add-rule': {
      const { allow, type, major, minor, access } = step.rule;
      return `${allow ? 'allow' : 'deny'} ${type} ${major ?? '*'}:${minor ?? '*'} ${access}`;
    }
    case 'mask-path':
      return `mask ${step.path}`;
    case 'set-env':
      return `set ${step.entry}`;
  }
}
