import { cdiKind } from '@kata-mock/contracts';
import { type Spec, SpecEditor } from '@kata-mock/oci-spec';
import { parseAnnotations } from 'cdi-spec';
import { KataMockError } from '../../errors.ts';
import type { ContainerInput } from './bundle.ts';

/** What the command line adds to a container's input. */
export interface ContainerOptions {
  command: string[];
  /** `KEY=VALUE` each. */
  env: string[];
  annotations: string[];
  tty: boolean;
  hostname: string;
  /** Ask for every mock device when neither bundle nor annotations name one. */
  defaultToAllDevices: boolean;
}

const defaultCdiAnnotation = 'cdi.k8s.io/kata-mock_run';

/** The container's OCI spec as a container engine would write it, before any of Kata's changes. */
export function containerSpec(input: ContainerInput, options: ContainerOptions): Spec {
  const editor = new SpecEditor(input.spec);
  if (options.command.length > 0) editor.set(['process', 'args'], options.command);
  if ((editor.spec.process?.args ?? []).length === 0) {
    throw new KataMockError('BAD_INPUT', 'the container has no command: config.json has no process.args', {
      hint: 'give one: kata-mock run … -- CMD',
    });
  }
  if (options.tty) {
    editor.set(['process', 'terminal'], true);
    if (editor.env.get('TERM') === undefined) editor.env.set('TERM', process.env['TERM'] ?? 'xterm');
  }
  if (editor.spec.hostname === undefined) editor.set(['hostname'], options.hostname);
  for (const text of options.env) editor.env.set(...split(text));
  for (const text of options.annotations) editor.annotations.set(...split(text));
  if (options.defaultToAllDevices && !namesCdiDevice(editor.spec)) {
    editor.annotations.set(defaultCdiAnnotation, `${cdiKind}=all`);
  }
  return editor.result();
}

function namesCdiDevice(spec: Readonly<Spec>): boolean {
  return parseAnnotations(spec.annotations ?? {}).devices.length > 0;
}

function split(text: string): [string, string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}
