import { CdiError, quote } from '../errors.ts';
import { classFault, parseKind, vendorFault } from '../names.ts';

/**
 * The usual file name of a spec, without extension: `vendor-class`.
 * @throws {CdiError} NAME
 */
export function specNameFor(spec: { kind: string }): string {
  const { vendor, class: kindClass } = parseKind(spec.kind);
  const fault = vendorFault(vendor) ?? classFault(kindClass);
  if (fault) throw new CdiError('NAME', fault);
  return `${vendor}-${kindClass}`;
}

/**
 * The file name of a spec that lives as long as a container or claim: `vendor-class_id`, "/" in the id as "_".
 * @throws {CdiError} NAME
 */
export function transientSpecNameFor(spec: { kind: string }, transientId: string): string {
  if (transientId === '') throw new CdiError('NAME', 'the transient id is empty');
  return `${specNameFor(spec)}_${transientId.replaceAll('/', '_')}`;
}

/**
 * The file that a spec name stands for: `.json` and `.yaml` are kept, anything else gets `.yaml`.
 * @throws {CdiError} NAME when the name would lead out of the directory
 */
export function fileNameOf(name: string): string {
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) {
    throw new CdiError('NAME', `${quote(name)} cannot be the name of a spec file; it must be a plain file name`);
  }
  const file = /\.(json|yaml)$/.test(name) ? name : `${name}.yaml`;
  if (Buffer.byteLength(file) > 255) throw new CdiError('NAME', `${quote(name)} is too long for a file name`);
  return file;
}
