import { type Spec, SpecEditor } from '@kata-mock/oci-spec';
import { isQualifiedName } from '../../names.ts';
import { type GlobalOptions, type Io, openCache, readOciSpec } from '../context.ts';
import { type Format, print } from '../output.ts';

/** `cdi resolve FILE…`: devices in `linux.devices` whose path is a qualified name give way to what they stand for. */
export async function resolve(files: string[], options: GlobalOptions & { output?: Format }, io: Io): Promise<void> {
  const cache = await openCache(options, io);
  const resolved = files.map((file) => {
    const editor = new SpecEditor(readOciSpec(file, io));
    const names = takeNames(editor);
    if (names.length > 0) cache.injectDevices(editor, names);
    return { file, spec: editor.result() };
  });
  resolved.forEach(({ file, spec }, index) => {
    const format = options.output ?? (/\.ya?ml$/.test(file) ? 'yaml' : 'json');
    if (format === 'yaml' && index > 0) io.out('---\n');
    print(io, format, spec, () => []);
  });
}

function takeNames(editor: SpecEditor): string[] {
  const devices: NonNullable<NonNullable<Spec['linux']>['devices']> = [...editor.devices.entries()];
  const names = devices
    .map((device) => device?.path)
    .filter((path) => typeof path === 'string' && isQualifiedName(path));
  for (const name of names) editor.devices.delete(name);
  return names;
}
