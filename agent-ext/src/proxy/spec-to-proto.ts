import { isDeepStrictEqual } from 'node:util';
import { create } from '@bufbuild/protobuf';
import {
  LinuxDeviceCgroupSchema,
  LinuxDeviceSchema,
  LinuxResourcesSchema,
  LinuxSchema,
  MountSchema,
  ProcessSchema,
  type Spec as SpecMessage,
} from '@kata-mock/contracts';
import type { LinuxDevice, LinuxDeviceCgroup, Mount, Spec } from '@kata-mock/oci-spec';

/**
 * Puts what device handling has changed into the message it came from: environment, nodes, rules, masked paths and
 * mounts. Every message that is not new stays the same object, so what it carries beyond this project's knowledge, such
 * as fields of a later protocol, goes on to the other agent.
 * @param before the spec as read from the message
 */
export function writeBack(message: SpecMessage, before: Spec, after: Spec): void {
  if (after.process?.env) {
    message.Process ??= create(ProcessSchema);
    message.Process.Env = [...after.process.env];
  }
  message.Mounts = merge(message.Mounts, before.mounts, after.mounts, mounts);
  const { linux } = after;
  if (!linux) return;
  message.Linux ??= create(LinuxSchema);
  message.Linux.Devices = merge(message.Linux.Devices, before.linux?.devices, linux.devices, devices);
  message.Linux.MaskedPaths = [...(linux.maskedPaths ?? [])];
  const had = before.linux?.resources?.devices;
  const has = linux.resources?.devices;
  if (isDeepStrictEqual(had, has)) return;
  message.Linux.Resources ??= create(LinuxResourcesSchema);
  message.Linux.Resources.Devices = merge(message.Linux.Resources.Devices, had, has, rules);
}

/** How one kind of item is known again after a change, and written. */
interface Kind<Item, Message> {
  nameOf(item: Item): string;
  make(): Message;
  write(message: Message, item: Item): void;
}

const devices: Kind<LinuxDevice, DeviceMessage> = {
  nameOf: ({ path }) => path,
  make: () => create(LinuxDeviceSchema),
  write: (message, { path, type, major, minor, fileMode, uid, gid }) => {
    Object.assign(message, { Path: path, Type: type, FileMode: fileMode ?? 0, UID: uid ?? 0, GID: gid ?? 0 });
    Object.assign(message, { Major: BigInt(major ?? 0), Minor: BigInt(minor ?? 0) });
  },
};

const rules: Kind<LinuxDeviceCgroup, RuleMessage> = {
  // Rules have no names; one whose numbers were rewritten is much like it was.
  nameOf: ({ allow, type, access }) => `${allow} ${type} ${access}`,
  make: () => create(LinuxDeviceCgroupSchema),
  write: (message, { allow, type, major, minor, access }) => {
    Object.assign(message, { Allow: allow, Type: type ?? '', Access: access ?? '' });
    Object.assign(message, { Major: BigInt(major ?? 0), Minor: BigInt(minor ?? 0) });
  },
};

const mounts: Kind<Mount, SpecMessage['Mounts'][0]> = {
  nameOf: ({ destination }) => destination,
  make: () => create(MountSchema),
  write: (message, { destination, source = '', type = '', options = [] }) => {
    Object.assign(message, { destination, source, type, options: [...options] });
  },
};

type LinuxMessage = NonNullable<SpecMessage['Linux']>;
type DeviceMessage = LinuxMessage['Devices'][0];
type RuleMessage = NonNullable<LinuxMessage['Resources']>['Devices'][0];

/** The messages of a list as changed. `before` has an item for each of them, in order. */
function merge<Item, Message>(
  messages: readonly Message[],
  before: readonly Item[] = [],
  after: readonly Item[] = [],
  kind: Kind<Item, Message>,
): Message[] {
  const left = new Map<string, { message: Message; item: Item }[]>();
  for (const [index, message] of messages.entries()) {
    const item = before[index] as Item;
    const named = left.get(kind.nameOf(item));
    if (named) named.push({ message, item });
    else left.set(kind.nameOf(item), [{ message, item }]);
  }
  const take = (item: Item, isIt: (candidate: Item) => boolean) => {
    const named = left.get(kind.nameOf(item)) ?? [];
    const found = named.findIndex((one) => isIt(one.item));
    return found < 0 ? undefined : named.splice(found, 1)[0]?.message;
  };
  // Those that stay come first, or a changed one might take their message.
  const kept = after.map((item) => take(item, (candidate) => isDeepStrictEqual(candidate, item)));
  return after.map((item, index) => {
    if (kept[index]) return kept[index];
    const message = take(item, () => true) ?? kind.make();
    kind.write(message, item);
    return message;
  });
}
