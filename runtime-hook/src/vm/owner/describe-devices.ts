import { cdiKind } from '@kata-mock/contracts';
import { type Spec, SpecEditor } from '@kata-mock/oci-spec';
import { parseAnnotations } from 'cdi-spec';
import type { SandboxDevice } from '../sandbox/state.ts';

/** What a device plugin sets: the host addresses of the container's devices, for the agent to translate. */
const deviceVariable = 'PCIDEVICE_KATA_MOCK_DEV_ACCEL';

/** Sets that variable as a device plugin would, unless the spec has it: for the devices it asks for through CDI. */
export function describeDevices(spec: Spec, devices: SandboxDevice[]): Spec {
  const names = parseAnnotations(spec.annotations ?? {}).devices;
  const asked = devices.filter((device) =>
    ['all', device.cdiName, device.uuid].some((name) => names.includes(`${cdiKind}=${name}`)),
  );
  const editor = new SpecEditor(spec);
  if (asked.length > 0 && editor.env.get(deviceVariable) === undefined) {
    editor.env.set(deviceVariable, asked.map((device) => device.hostAddress).join(','));
  }
  return editor.result();
}
