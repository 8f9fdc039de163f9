/**
 * Container Device Interface 1.1: names, annotations, spec files, a cache of directories, injection into OCI specs.
 *
 * ```ts
 * const cache = new Cache({ specDirs: ['/etc/cdi', '/var/run/cdi'] });
 * const { spec } = cache.injectDevices(ociSpec, ['vendor.com/gpu=0']);
 * ```
 */

export {
  ANNOTATION_PREFIX,
  annotationKey,
  annotationValue,
  parseAnnotations,
  type RequestedDevices,
  updateAnnotations,
} from './annotations.ts';
export { Cache, type CacheOptions, DEFAULT_SPEC_DIRS } from './cache/cache.ts';
export type { CdiDevice, SpecFile } from './cache/device.ts';
export { type Difference, diff } from './diff.ts';
export { CdiError, type CdiErrorCode, type Unresolved } from './errors.ts';
export type { Injection } from './inject/inject.ts';
export type { EditSource, InjectionPlan, PlannedEdit } from './inject/plan.ts';
export type { Finding } from './lint/finding.ts';
export { type LintOptions, lintDirectories, lintFile } from './lint/lint.ts';
export { readCdiSpec } from './load/file.ts';
export { parseCdiSpec, type ReadOptions } from './load/text.ts';
export {
  isQualifiedName,
  parseKind,
  parseQualifiedName,
  type QualifiedName,
  qualifiedName,
  validateClassName,
  validateDeviceName,
  validateVendorName,
} from './names.ts';
export { loadSchema, type SchemaCheck, validateCdiSchema } from './schema/schema.ts';
export type * from './types.ts';
export { type ValidateOptions, validateCdiSpec } from './validate.ts';
export { CURRENT_VERSION, PROPOSED_VERSION, type RequiredVersion, requiredVersion, VERSIONS } from './version.ts';
export { formatCdiSpec } from './write/format.ts';
export { specNameFor, transientSpecNameFor } from './write/names.ts';
export { removeSpec, type WriteOptions, writeSpec } from './write/write.ts';
