import type { SpecEditor } from '@kata-mock/oci-spec';
import type { SpecStep } from '../steps/steps.ts';

type StepOf<Kind extends SpecStep['kind']> = Extract<SpecStep, { kind: Kind }>;

const appliers: { [Kind in SpecStep['kind']]: (editor: SpecEditor, step: StepOf<Kind>) => void } = {
  'set-device': (editor, { path, patch }) => editor.devices.update(path, patch),
  'rewrite-rule': (editor, { index, major, minor }) => editor.deviceRules.update(index, { major, minor }),
  'remove-rule': (editor, { index }) => editor.delete(['linux', 'resources', 'devices', index]),
  'add-rule': (editor, { rule }) => editor.deviceRules.add(rule),
  'mask-path': (editor, { path }) => editor.maskedPaths.add(path),
  'set-env': (editor, { index, entry }) => editor.set(['process', 'env', index], entry),
};

/** Applies the spec steps of a plan in order. When one fails, the editor is of no use any more. */
export function applySpecSteps(editor: SpecEditor, steps: readonly SpecStep[]): void {
  for (const step of steps) editor.attribute(step.reason, () => appliers[step.kind](editor, step as never));
}
