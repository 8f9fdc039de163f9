import type { DescField, DescMessage, Message } from '@bufbuild/protobuf';
import type { ServerInterceptor } from 'ttrpc-ts';
import { AgentError } from '../errors.ts';

/** More entries than any honest request has in one list or map; each is some memory and time. */
const MOST = 4096;
/** Where it is another number, by message and field. */
const MOST_IN: Readonly<Record<string, number>> = {
  'CreateContainerRequest.devices': 1024,
  'CreateContainerRequest.storages': 1024,
  'CreateSandboxRequest.storages': 1024,
  'UpdateEphemeralMountsRequest.storages': 1024,
  'Linux.Devices': 1024,
  'Device.options': 1024,
  'Storage.options': 1024,
  'Storage.driver_options': 1024,
  'Process.Args': 16_384,
  'Process.Env': 16_384,
  'LinuxResources.Devices': 8192,
  // One for each block of plugged memory: at 128 MiB this is 8 TiB.
  'MemHotplugByProbeRequest.memHotplugProbeAddr': 65_536,
};

/** A field that holds entries, or a message that may. */
interface Holder {
  readonly name: string;
  readonly localName: string;
  /** Entries it may have; undefined for a single message. */
  readonly most: number | undefined;
  /** Its messages. */
  readonly inner: DescMessage | undefined;
}

interface TooMany {
  readonly path: string;
  readonly size: number;
  readonly most: number;
}

const holders = new WeakMap<DescMessage, readonly Holder[]>();

/** Refuses requests whose lists would cost more than they can be worth, before anything is done for them. */
export const limitSizes: ServerInterceptor = {
  async unary(request, { method }, next) {
    checkSizes(method.input, request);
    return next(request);
  },
};

/** Every list and map of a message, however deep. Throws INVALID_ARGUMENT with the path of one that is too long. */
export function checkSizes(desc: DescMessage, message: Message): void {
  const found = tooMany(desc, message);
  if (!found) return;
  const { path, size, most } = found;
  throw new AgentError('INVALID_ARGUMENT', `the request has ${size} entries in ${path}, at most ${most} are taken`);
}

function tooMany(desc: DescMessage, message: Message): TooMany | undefined {
  for (const { name, localName, most, inner } of holdersOf(desc)) {
    const value = (message as unknown as Record<string, object | undefined>)[localName];
    if (value === undefined) continue;
    const entries = most === undefined ? [value] : Object.values(value);
    if (most !== undefined && entries.length > most) return { path: name, size: entries.length, most };
    if (!inner) continue;
    for (const [index, entry] of entries.entries()) {
      const found = tooMany(inner, entry);
      if (found) return { ...found, path: `${name}${most === undefined ? '' : `[${index}]`}.${found.path}` };
    }
  }
  return undefined;
}

function holdersOf(desc: DescMessage): readonly Holder[] {
  const known = holders.get(desc);
  if (known) return known;
  const made = desc.fields.flatMap((field) => holderOf(desc, field));
  holders.set(desc, made);
  return made;
}

function holderOf(desc: DescMessage, field: DescField): Holder[] {
  const { name, localName, fieldKind } = field;
  if (fieldKind === 'scalar' || fieldKind === 'enum') return [];
  const most = fieldKind === 'message' ? undefined : (MOST_IN[`${desc.name}.${name}`] ?? MOST);
  return [{ name, localName, most, inner: field.message }];
}
