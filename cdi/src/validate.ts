import { CdiError, quote } from './errors.ts';
import { formatSteps } from './load/decode.ts';
import { classFault, deviceFault, parseKind, vendorFault } from './names.ts';
import { annotationsFault } from './spec-annotations.ts';
import type { CdiSpec } from './types.ts';
import { editsFault, hasEdits } from './validate-edits.ts';
import { PROPOSED_VERSION, requiredVersion, VERSIONS, versionIndex } from './version.ts';

export interface ValidateOptions {
  /** `go`: annotations are not checked. */
  compat?: 'go';
  /** Knows the proposals for CDI 1.2.0. */
  proposals?: boolean;
}

/**
 * Checks the rules of CDI on a spec whose types are right.
 * @throws {CdiError} INVALID with the JSON path
 */
export function validateCdiSpec(spec: CdiSpec, options: ValidateOptions = {}): void {
  const proposals = options.proposals ?? false;
  checkVersion(spec, proposals);
  const { vendor, class: kindClass } = parseKind(spec.kind);
  const kindFault = vendorFault(vendor) ?? classFault(kindClass);
  if (kindFault) fail(['kind'], `${kindFault}; a kind is "vendor/class", found ${quote(spec.kind)}`);
  checkAnnotations(spec.annotations, ['annotations'], options);
  const globalFault = spec.containerEdits && editsFault(spec.containerEdits, proposals);
  if (globalFault) fail(['containerEdits', ...globalFault.path], globalFault.reason);

  if (spec.devices.length === 0) fail(['devices'], 'a spec needs at least one device');
  const names = new Set<string>();
  for (let index = 0; index < spec.devices.length; index++) {
    const device = spec.devices[index] as CdiSpec['devices'][number];
    const nameFault = deviceFault(device.name);
    if (nameFault) fail(['devices', index, 'name'], nameFault);
    if (names.has(device.name)) fail(['devices', index, 'name'], `device ${quote(device.name)} is there twice`);
    names.add(device.name);
    checkAnnotations(device.annotations, ['devices', index, 'annotations'], options);
    if (!hasEdits(device.containerEdits)) {
      fail(['devices', index, 'containerEdits'], `device ${quote(device.name)} has no edits; it needs one of its own`);
    }
    const fault = editsFault(device.containerEdits, proposals);
    if (fault) fail(['devices', index, 'containerEdits', ...fault.path], fault.reason);
  }
}

function checkVersion(spec: CdiSpec, proposals: boolean): void {
  const declared = versionIndex(spec.cdiVersion, proposals);
  if (declared < 0) {
    const known = [...VERSIONS.slice(2), ...(proposals ? [PROPOSED_VERSION] : [])].join(', ');
    fail(['cdiVersion'], `invalid version ${quote(spec.cdiVersion)}; known are ${known}`);
  }
  const required = requiredVersion(spec, proposals);
  if (declared < versionIndex(required.version, proposals)) {
    const because = required.because && ` because of ${required.because}`;
    fail(
      ['cdiVersion'],
      `the spec version must be at least v${required.version}${because}, found ${quote(spec.cdiVersion)}`,
    );
  }
}

function checkAnnotations(
  annotations: CdiSpec['annotations'],
  path: (string | number)[],
  options: ValidateOptions,
): void {
  if (!annotations || options.compat === 'go') return;
  const fault = annotationsFault(annotations);
  if (fault) fail(path, fault);
}

function fail(path: (string | number)[], reason: string): never {
  throw new CdiError('INVALID', reason, { path: formatSteps(path) });
}
