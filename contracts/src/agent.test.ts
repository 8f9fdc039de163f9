import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import {
  AgentService,
  CreateContainerRequestSchema,
  Health,
  Hypervisor,
  MemAgentMemcgConfigSchema,
  ReseedRandomDevRequestSchema,
  StorageSchema,
} from './index.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

test('services have the names and the number of methods of Kata', () => {
  expect([AgentService, Health, Hypervisor].map(({ typeName, methods }) => [typeName, methods.length])).toEqual([
    ['grpc.AgentService', 42],
    ['grpc.Health', 2],
    ['hypervisor.Hypervisor', 4],
  ]);
  expect(AgentService.methods.every(({ methodKind }) => methodKind === 'unary')).toBe(true);
});

test('a CreateContainer is the bytes Kata sends', () => {
  const request = create(CreateContainerRequestSchema, {
    containerId: 'c',
    devices: [{ id: 'd', type: 'vfio-pci-gk', containerPath: '/dev/mock0', options: ['a=b'] }],
    OCI: { Process: { Env: ['K=V'] }, Linux: { Devices: [{ Path: '/dev/mock0', Type: 'c', Major: 1n, Minor: 3n }] } },
    sandboxPidns: true,
  });
  const device = `0a0164120b${text('vfio-pci-gk')}220a${text('/dev/mock0')}2a03${text('a=b')}`;
  const linuxDevice = `0a0a${text('/dev/mock0')}120163${'1801'}${'2003'}`;
  const oci = `12052a03${text('K=V')}${field('42', field('3a', linuxDevice))}`;
  expect(hex(toBinary(CreateContainerRequestSchema, request))).toBe(
    `0a0163${field('22', device)}${field('32', oci)}3801`,
  );
});

test('numbers that are easy to get wrong are right', () => {
  // data is field 2 here, though it is the only one.
  expect(
    hex(toBinary(ReseedRandomDevRequestSchema, create(ReseedRandomDevRequestSchema, { data: Buffer.of(1) }))),
  ).toBe('120101');
  expect(hex(toBinary(StorageSchema, create(StorageSchema, { fsGroup: { groupId: 5 }, shared: true })))).toBe(
    '3a0210054001',
  );
});

test('an optional number that is 0 is not an absent one', () => {
  const config = fromBinary(MemAgentMemcgConfigSchema, Buffer.from('1800', 'hex'));
  expect([config.swappinessMax, config.periodSecs]).toEqual([0, undefined]);
});

function text(value: string): string {
  return Buffer.from(value).toString('hex');
}

function field(tag: string, body: string): string {
  return `${tag}${(body.length / 2).toString(16).padStart(2, '0')}${body}`;
}
