import { CdiError } from '../errors.ts';
import { CdiDevice, type SpecFile } from './device.ts';

/**
 * Devices by qualified name, each with all its definitions. Adding or removing a file costs as much as that file has
 * devices, however many others there are.
 */
export class DeviceIndex {
  /** One definition, the common case, without an array around it. */
  readonly #definitions = new Map<string, CdiDevice | CdiDevice[]>();
  /** Names with several definitions, which are the ones that can conflict. */
  readonly #contested = new Set<string>();
  readonly #compat: 'go' | undefined;
  #sorted: string[] | undefined;

  constructor(compat: 'go' | undefined) {
    this.#compat = compat;
  }

  add(file: SpecFile): void {
    this.#sorted = undefined;
    for (const spec of file.spec.devices) {
      const device = new CdiDevice(file, spec);
      const name = device.qualifiedName;
      const known = this.#definitions.get(name);
      if (!known) {
        this.#definitions.set(name, device);
        continue;
      }
      this.#definitions.set(name, Array.isArray(known) ? [...known, device] : [known, device]);
      this.#contested.add(name);
    }
  }

  remove(file: SpecFile): void {
    this.#sorted = undefined;
    const prefix = `${file.vendor}/${file.class}=`;
    for (const spec of file.spec.devices) {
      const name = prefix + spec.name;
      const known = this.#definitions.get(name);
      const rest = (Array.isArray(known) ? known : known ? [known] : []).filter((device) => device.from !== file);
      const [only] = rest;
      if (rest.length > 1) {
        this.#definitions.set(name, rest);
        continue;
      }
      this.#contested.delete(name);
      if (only) this.#definitions.set(name, only);
      else this.#definitions.delete(name);
    }
  }

  /** The definition that counts; undefined when there is none or they conflict. */
  get(name: string): CdiDevice | undefined {
    const known = this.#definitions.get(name);
    return Array.isArray(known) ? this.#winner(known) : known;
  }

  /** The definitions of one device that keep each other from being used. */
  conflict(name: string): CdiDevice[] | undefined {
    const known = this.#definitions.get(name);
    if (!Array.isArray(known) || this.#winner(known)) return undefined;
    return this.#rivals(known);
  }

  /** Names of usable devices, sorted. */
  names(): readonly string[] {
    this.#sorted ??= this.#usable();
    return this.#sorted;
  }

  /** One error for each device that conflicts. */
  conflicts(): { error: CdiError; files: string[] }[] {
    return [...this.#contested].sort().flatMap((name) => {
      const files = this.conflict(name)?.map((device) => device.from.file);
      if (!files) return [];
      const error = new CdiError(
        'CONFLICT',
        `conflicting device ${JSON.stringify(name)} (specs ${files.map((file) => JSON.stringify(file)).join(', ')})`,
        { devices: [name], ...(files[0] !== undefined && { file: files[0] }) },
      );
      return [{ error, files }];
    });
  }

  #usable(): string[] {
    const names = [...this.#definitions.keys()];
    const usable = this.#contested.size === 0 ? names : names.filter((name) => this.get(name));
    return usable.sort();
  }

  /** The only definition of the highest priority. To the reference a conflict below spoils it as well. */
  #winner(definitions: CdiDevice[]): CdiDevice | undefined {
    if (this.#compat === 'go' && this.#rivals(definitions).length > 0) return undefined;
    const top = Math.max(...definitions.map((device) => device.from.priority));
    const best = definitions.filter((device) => device.from.priority === top);
    return best.length === 1 ? best[0] : undefined;
  }

  #rivals(definitions: CdiDevice[]): CdiDevice[] {
    const ofPriority = (priority: number) => definitions.filter((device) => device.from.priority === priority);
    if (this.#compat === 'go') return definitions.filter((device) => ofPriority(device.from.priority).length > 1);
    return ofPriority(Math.max(...definitions.map((device) => device.from.priority)));
  }
}
