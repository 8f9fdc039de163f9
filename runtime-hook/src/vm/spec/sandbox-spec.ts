import { type Spec, SpecEditor } from '@kata-mock/oci-spec';
import { devicesAnnotation } from '../../inventory/sources.ts';

/**
 * The sandbox's config.json, which the hook reads: the container's own spec plus, when the command line asks for
 * devices, the annotation that says so.
 */
export function sandboxSpec(spec: Spec, devices: string[]): Spec {
  const editor = new SpecEditor(spec);
  if (devices.length > 0) editor.annotations.set(devicesAnnotation, devices.join('; '));
  return editor.result();
}
