import type { Spec } from '@kata-mock/oci-spec';
import { expect, it } from 'vitest';
import type { SandboxDevice } from '../sandbox/state.ts';
import { describeDevices } from './describe-devices.ts';

const devices = ['0', '1'].map(
  (cdiName, index): SandboxDevice => ({
    index,
    cdiName,
    uuid: `4d4f434b-2d4e-554d-4130-2d303030310${cdiName}`,
    model: 'mock-accel',
    hostAddress: `0000:1a:0${index}.0`,
    deviceTreePath: `1${index}/00`,
    numaNode: -1,
    containerPath: `/dev/mock${index}`,
  }),
);
const variable = (annotation: string, env: string[] = []) => {
  const spec: Spec = { ociVersion: '1.1.0', process: { cwd: '/', env }, annotations: { 'cdi.k8s.io/x': annotation } };
  return describeDevices(spec, devices).process?.env;
};

it.each([
  ['kata-mock.dev/accel=1', '0000:1a:01.0'],
  ['kata-mock.dev/accel=all', '0000:1a:00.0,0000:1a:01.0'],
  ['kata-mock.dev/accel=4d4f434b-2d4e-554d-4130-2d3030303100', '0000:1a:00.0'],
])('names the host addresses of %s', (annotation, addresses) => {
  expect(variable(annotation)).toEqual([`PCIDEVICE_KATA_MOCK_DEV_ACCEL=${addresses}`]);
});

it('sets nothing for devices that are none of ours, and keeps what the spec has', () => {
  expect(variable('vendor.com/gpu=0')).toEqual([]);
  expect(variable('kata-mock.dev/accel=0', ['PCIDEVICE_KATA_MOCK_DEV_ACCEL=x'])).toEqual([
    'PCIDEVICE_KATA_MOCK_DEV_ACCEL=x',
  ]);
});
