import { qualifiedName } from '../names.ts';
import type { CdiDeviceSpec, CdiSpec } from '../types.ts';

/** A spec and the file it came from. Shared by all its devices and never written to. */
export interface SpecFile {
  readonly file: string;
  readonly spec: CdiSpec;
  readonly vendor: string;
  readonly class: string;
  /** Index of its directory: the higher one wins. */
  readonly priority: number;
}

/** A device of the cache. */
export class CdiDevice {
  readonly from: SpecFile;
  readonly spec: CdiDeviceSpec;

  constructor(from: SpecFile, spec: CdiDeviceSpec) {
    this.from = from;
    this.spec = spec;
  }

  get name(): string {
    return this.spec.name;
  }

  get qualifiedName(): string {
    return qualifiedName(this.from.vendor, this.from.class, this.spec.name);
  }
}
