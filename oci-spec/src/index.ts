/**
 * OCI runtime specification: types, lossless JSON, validation, and the editor through which specs are changed.
 *
 * ```ts
 * const editor = new SpecEditor(parseSpec(await readFile('config.json')));
 * editor.env.set('GREETING', 'hello');
 * await writeFile('config.json', stringifySpec(editor.result(), { indent: 2 }));
 * ```
 */

export type { AnnotationEditor } from './edit/annotations.ts';
export type { DeviceRuleEditor } from './edit/device-rules.ts';
export type { DeviceEditor } from './edit/devices.ts';
export type { Change } from './edit/draft.ts';
export { SpecEditor } from './edit/editor.ts';
export type { EnvEditor } from './edit/env.ts';
export type { MountEditor } from './edit/mounts.ts';
export type { PathListEditor } from './edit/path-list.ts';
export { SpecError, type SpecErrorCode } from './errors.ts';
export { copyJson } from './json/copy.ts';
export { type Json, type ParseOptions, parseJson } from './json/parse.ts';
export { formatPath, type Path } from './json/path.ts';
export { stringifyJson } from './json/stringify.ts';
export { parseSpec, stringifySpec } from './spec.ts';
export type * from './types/index.ts';
export { validateSpec } from './validate.ts';
