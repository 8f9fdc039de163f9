import { SpecEditor } from '@kata-mock/oci-spec';
import type { PlannedEdit } from '../../inject/plan.ts';
import { type GlobalOptions, type Io, openCache, readOciSpec } from '../context.ts';
import { expandNames } from '../glob.ts';
import { type Format, print } from '../output.ts';

/** `cdi explain FILE|- name…`: what injecting would do, each edit with the device and the file it comes from. */
export async function explain(
  file: string,
  asked: string[],
  options: GlobalOptions & { output: Format },
  io: Io,
): Promise<void> {
  const cache = await openCache(options, io);
  const editor = new SpecEditor(readOciSpec(file, io));
  const { names } = expandNames(asked, cache.listDevices(), options.compat);
  const { devices, edits, changes } = cache.injectDevices(editor, names);
  print(io, options.output, { devices, edits, changes }, () => [
    ['EDIT', 'WHAT', 'DEVICE', 'FILE'],
    ...edits.map((edit) => [
      edit.edit,
      describe(edit),
      edit.from.level === 'spec' ? `${edit.from.device} (whole spec)` : edit.from.device,
      edit.from.file,
    ]),
  ]);
}

function describe(edit: PlannedEdit): string {
  switch (edit.edit) {
    case 'env':
      return `${edit.name}=${edit.value}`;
    case 'deviceNode': {
      const { path, type, major = 0, minor = 0, fileMode } = edit.device;
      const mode = fileMode === undefined ? '' : ` mode ${fileMode.toString(8).padStart(4, '0')}`;
      return `${path} ${type} ${major}:${minor}${mode}${edit.rule ? ` access ${edit.rule.access ?? 'none'}` : ''}`;
    }
    case 'deviceCgroupRule':
      return `${edit.rule.type} ${edit.rule.major ?? '*'}:${edit.rule.minor ?? '*'} access ${edit.rule.access ?? 'none'}`;
    case 'netDevice':
      return `${edit.hostInterfaceName} as ${edit.name}`;
    case 'mount':
      return `${edit.mount.source} on ${edit.mount.destination}${edit.mount.options ? ` (${edit.mount.options.join(',')})` : ''}`;
    case 'hook':
      return `${edit.hookName} ${edit.hook.path}`;
    case 'intelRdt':
      return Object.entries(edit.intelRdt)
        .map(([name, value]) => `${name}=${value}`)
        .join(' ');
    case 'additionalGid':
      return String(edit.gid);
  }
}
