import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import {
  AgentService,
  type CreateContainerRequest,
  CreateContainerRequestSchema,
  DeviceSchema,
  ExecProcessRequestSchema,
  RemoveContainerRequestSchema,
} from '@kata-mock/contracts';
import {
  type AddressMap,
  type ContainerPlan,
  fromCreateContainer,
  handleDevices,
  planEnvironment,
} from '@kata-mock/devices';
import type { RawCall, RawHandler } from 'ttrpc-ts';
import type { Agent } from '../agent.ts';
import type { Backend } from '../backend.ts';
import { AgentError } from '../errors.ts';
import { checkSizes } from '../service/check-sizes.ts';
import { toTtrpcError } from '../service/ttrpc-errors.ts';
import { needsAddressMap } from './agent-version.ts';
import { OWN_TYPES, ownDevices, refuseUnknownTypes } from './device-types.ts';
import { identityDevice } from './identity-device.ts';
import { othersAnnotations, othersVariables, withOwnCdi } from './own-cdi.ts';
import { writeBack } from './spec-to-proto.ts';
import { Upstream } from './upstream.ts';

/** What goes to the other agent instead of a request. */
interface Rewritten {
  readonly payload: Uint8Array;
  /** To be done once the other agent has done its part. */
  done?(): void;
}

/**
 * Another agent runs the containers. Every call, of whatever service and kind, goes to it byte for byte; CreateContainer
 * and ExecProcess go through our device handling first.
 */
export function proxyBackend(agent: Agent): Backend {
  const upstream = new Upstream(agent.config.proxyTo);
  const addresses = new Map<string, AddressMap>();
  const rewriters: Readonly<Record<string, (call: RawCall) => Rewritten | Promise<Rewritten>>> = {
    CreateContainer: (call) => rewriteCreate(agent, upstream, addresses, call),
    ExecProcess: (call) => ({ payload: rewriteExec(agent, addresses, call) }),
    RemoveContainer: (call) => {
      const { containerId } = decode(RemoveContainerRequestSchema, call);
      return { payload: call.payload, done: () => void addresses.delete(containerId) };
    },
  };
  const pass: RawHandler = async (call) => {
    const rewrite = call.service === AgentService.typeName ? rewriters[call.method] : undefined;
    const { payload, done } = rewrite ? await translated(async () => rewrite(call)) : { payload: call.payload };
    const reply = await upstream.pass(call, payload);
    done?.();
    return reply;
  };
  return { register: (server) => void server.fallback(pass), close: () => upstream.close() };
}

function decode<Schema extends DescMessage>(schema: Schema, { method, payload }: RawCall): MessageShape<Schema> {
  try {
    return fromBinary(schema, payload);
  } catch (cause) {
    const message = `cannot read the request of ${method}: ${(cause as Error).message}`;
    throw new AgentError('INVALID_ARGUMENT', message, { cause });
  }
}

async function translated<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw toTtrpcError(error);
  }
}

async function rewriteCreate(
  agent: Agent,
  upstream: Upstream,
  addresses: Map<string, AddressMap>,
  call: RawCall,
): Promise<Rewritten> {
  const message = decode(CreateContainerRequestSchema, call);
  checkSizes(CreateContainerRequestSchema, message);
  await refuseUnknownTypes(message, () => upstream.details());
  await agent.devicesReady;
  const request = fromCreateContainer(message);
  const { guest, inventory, cdi, config } = agent;
  const { signal } = call.context;
  const warn = (text: string) => agent.log.warn({ container: message.containerId }, text);
  const { editor, plan } = await handleDevices(
    { guest, inventory, settings: config.devices, cdi, signal, warn },
    { ...request, devices: ownDevices(request.devices), spec: withOwnCdi(request.spec, config.devices) },
  );
  const done = () => void addresses.set(message.containerId, plan.addresses);
  const isOurs = message.devices.some(({ type }) => OWN_TYPES.has(type)) || plan.cdiDevices.length > 0;
  if (!isOurs && editor.changes.length === 0) return { payload: call.payload, done };
  if (message.OCI) {
    const handled = editor.result();
    if (handled.process?.env)
      handled.process.env = othersVariables(handled.process.env, request.spec.process?.env ?? [], config.devices);
    writeBack(message.OCI, request.spec, handled);
    message.OCI.Annotations = othersAnnotations(request.spec.annotations ?? {});
  }
  message.devices = message.devices.filter(({ type }) => !OWN_TYPES.has(type));
  await addIdentity(agent, upstream, plan, message);
  return { payload: toBinary(CreateContainerRequestSchema, message), done };
}

async function addIdentity(
  agent: Agent,
  upstream: Upstream,
  plan: ContainerPlan,
  message: CreateContainerRequest,
): Promise<void> {
  const identity = identityDevice.bind(undefined, agent.guest.sysfs, plan, message.OCI?.Process?.Env ?? []);
  if (plan.addresses.size === 0 || !needsAddressMap((await upstream.details()).version)) return;
  const device = identity();
  if (!device) return;
  const { devpaths, ...fields } = device;
  message.devices.push(create(DeviceSchema, fields));
  for (const devpath of devpaths) await agent.guest.write(`${devpath}/uevent`, 'add');
}

function rewriteExec(agent: Agent, addresses: Map<string, AddressMap>, call: RawCall): Uint8Array {
  const message = decode(ExecProcessRequestSchema, call);
  checkSizes(ExecProcessRequestSchema, message);
  const map = addresses.get(message.containerId);
  if (!message.process || !map) return call.payload;
  const steps = planEnvironment(message.process.Env, map, {
    containerId: message.containerId,
    untranslated: agent.config.devices.untranslated,
    warn: (text) => agent.log.warn({ container: message.containerId }, text),
  });
  if (steps.length === 0) return call.payload;
  for (const step of steps) if (step.kind === 'set-env') message.process.Env[step.index] = step.entry;
  return toBinary(ExecProcessRequestSchema, message);
}
