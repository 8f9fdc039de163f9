import { create, type DescMessage } from '@bufbuild/protobuf';
import {
  AgentService,
  CreateContainerRequestSchema,
  CreateSandboxRequestSchema,
  ExecProcessRequestSchema,
  UpdateRoutesRequestSchema,
} from '@kata-mock/contracts';
import { describe, expect, test } from 'vitest';
import { checkSizes } from './check-sizes.ts';

const many = (count: number, value: unknown) => Array(count).fill(value);
const keys = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`a${index}`, '1']));
const check = (schema: DescMessage, request: object) => () => checkSizes(schema, create(schema, request as never));

describe('a request with enormous lists is refused, by the path of one', () => {
  test.each([
    ['300,000 devices', { devices: many(300_000, { type: 'blk' }) }, '300000 entries in devices, at most 1024'],
    ['2,000 options', { storages: [{}, { options: many(2000, 'a') }] }, '2000 entries in storages[1].options'],
    ['devices', { OCI: { Linux: { Devices: many(2000, {}) } } }, 'OCI.Linux.Devices'],
    ['rules', { OCI: { Linux: { Resources: { Devices: many(9000, {}) } } } }, 'OCI.Linux.Resources.Devices'],
    ['variables', { OCI: { Process: { Env: many(20_000, 'A=1') } } }, 'OCI.Process.Env'],
    ['arguments', { OCI: { Process: { Args: many(20_000, 'a') } } }, 'OCI.Process.Args'],
    ['hooks', { OCI: { Hooks: { Prestart: many(5000, { Path: '/x' }) } } }, 'OCI.Hooks.Prestart'],
    ['masked paths', { OCI: { Linux: { MaskedPaths: many(5000, '/x') } } }, 'OCI.Linux.MaskedPaths'],
    ['sysctls', { OCI: { Linux: { Sysctl: keys(5000) } } }, 'OCI.Linux.Sysctl'],
    ['annotations', { OCI: { Annotations: keys(5000) } }, 'OCI.Annotations'],
  ])('%s of a container', (_, request, message) => {
    expect(check(CreateContainerRequestSchema, request)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) }),
    );
  });

  test.each([
    ['resolvers of a sandbox', CreateSandboxRequestSchema, { dns: many(5000, 'x') }],
    ['modules of a sandbox', CreateSandboxRequestSchema, { kernelModules: many(5000, {}) }],
    ['storages of a sandbox', CreateSandboxRequestSchema, { storages: many(2000, {}) }],
    ['variables of an exec', ExecProcessRequestSchema, { process: { Env: many(20_000, 'A=1') } }],
    ['routes', UpdateRoutesRequestSchema, { routes: { Routes: many(5000, {}) } }],
  ])('%s', (_, schema, request) => {
    expect(check(schema, request)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

test('what is large and honest passes', () => {
  const OCI = { Process: { Env: many(10_000, 'A=1') }, Mounts: many(4000, {}), Annotations: keys(4000) };
  expect(check(CreateContainerRequestSchema, { OCI, devices: many(1024, {}) })).not.toThrow();
});

test('no request has a list where it would not be seen', () => {
  for (const { input } of AgentService.methods) expect(input.oneofs).toEqual([]);
});
