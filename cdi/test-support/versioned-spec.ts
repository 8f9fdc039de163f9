import type { CdiSpec } from '../src/index.ts';

/** A spec in which every place says which version it is; odd ones are thirty times as long as even ones. */
export function versionedSpec(version: number): CdiSpec {
  const devices = Array.from({ length: version % 2 === 0 ? 1 : 30 }, (_, index) => ({
    name: `d${index}`,
    containerEdits: { env: [`VERSION=${version}`] },
  }));
  return { cdiVersion: '1.1.0', kind: 'vendor.com/device', containerEdits: { env: [`VERSION=${version}`] }, devices };
}

/** The version of a spec; throws when its places disagree. */
export function versionOf(spec: CdiSpec): number {
  const places = [spec.containerEdits, ...spec.devices.map((device) => device.containerEdits)];
  const versions = new Set(places.map((edits) => edits?.env?.[0]));
  const [only = ''] = versions;
  const version = Number(only.replace('VERSION=', ''));
  if (versions.size !== 1 || spec.devices.length !== versionedSpec(version).devices.length) {
    throw new Error(`torn read: ${[...versions]} with ${spec.devices.length} devices`);
  }
  return version;
}
