import path from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  type CreateContainerRequest,
  CreateContainerRequestSchema,
  GuestDetailsResponseSchema,
} from '@kata-mock/contracts';
import type { TreeGuest } from '@kata-mock/devices/scenarios';
import { resolveDeviceTreePath } from '@kata-mock/pci';
import { Code, type RawCall, Server, TtrpcError } from 'ttrpc-ts';

/**
 * An agent of Kata as the fact sheets describe it: its device types, where it finds a function and how, and what it does
 * about PCIDEVICE_ variables.
 */
export class KataPeer {
  readonly address: string;
  readonly seen: { method: string; payload: Uint8Array; metadata: string | undefined }[] = [];
  readonly containers = new Map<string, CreateContainerRequest>();
  /** What it logged instead of failing, from 3.32 on. */
  readonly warnings: string[] = [];
  version = '3.21.0';
  deviceHandlers: string[] = [];
  /** A method that is not answered. */
  blocks = '';
  readonly #guest: () => TreeGuest;
  #server = new Server();

  /** @param guest the machine it runs in, once there is one */
  constructor(address: string, guest: () => TreeGuest) {
    this.address = address;
    this.#guest = guest;
  }

  async start(): Promise<void> {
    this.#server = new Server();
    this.#server.fallback((call) => this.#answer(call));
    await this.#server.listen(this.address);
  }

  stop(): void {
    this.#server.close();
  }

  async #answer(call: RawCall): Promise<Uint8Array | undefined> {
    this.seen.push({ method: call.method, payload: call.payload, metadata: call.context.metadata.get('trace') });
    if (call.method === 'Echo') {
      for await (const message of call.requests) await call.send(message);
      return undefined;
    }
    if (call.method === 'Count') {
      for (let count = 0; count < 3; count++) await call.send(Buffer.concat([call.payload, Buffer.from([count])]));
      throw new TtrpcError(Code.OUT_OF_RANGE, 'counted enough');
    }
    if (call.method === this.blocks) return new Promise(() => {});
    if (call.method === 'GetGuestDetails') {
      const { version, deviceHandlers } = this;
      return toBinary(
        GuestDetailsResponseSchema,
        create(GuestDetailsResponseSchema, { agentDetails: { version, deviceHandlers } }),
      );
    }
    if (call.method === 'CreateContainer') this.#create(fromBinary(CreateContainerRequestSchema, call.payload));
    return call.method === 'Future' ? Buffer.concat([Buffer.from('re:'), call.payload]) : new Uint8Array();
  }

  #create(request: CreateContainerRequest): void {
    let map = new Map<string, string>();
    for (const { type, options } of request.devices) {
      // As in 3.21: each Device replaces the map of the one before.
      if (type.startsWith('vfio-pci')) map = new Map(options.map((option) => this.#find(option, type === 'vfio-pci')));
      else if (type === 'blk') throw internal('Timeout after 3s waiting for uevent VirtioBlkPciMatcher');
      else throw internal(`Failed to find the device handler "${type}"`);
    }
    this.#translate(request, map);
    this.containers.set(request.containerId, request);
  }

  /** Functions are found below root complex 00 only, and up to 3.30 only by an event the agent has seen itself. */
  #find(option: string, isRebound: boolean): [host: string, guest: string] {
    const [host = '', place = '', ...more] = option.split('=');
    if (more.length > 0 || place === '') throw internal(`Malformed VFIO PCI option ${option}`);
    const { devpath = '' } = resolveDeviceTreePath(this.#guest().sysfs, place);
    if (!devpath.startsWith('/devices/pci0000:00/')) throw internal(`expected exactly one PCI bus in ${place}, got 0`);
    const isSeen = this.#guest().kernel.writes.some(
      ({ path, text }) => path === `/sys${devpath}/uevent` && text === 'add',
    );
    // Binding to vfio-pci makes an event of its own.
    if (this.#isBefore(31) && !isSeen && !isRebound)
      throw internal(`Timeout after 3s waiting for uevent VfioMatcher ${devpath}`);
    return [host, path.basename(devpath)];
  }

  /** In place, as the agent means to, so that a test sees what its container would. */
  #translate(request: CreateContainerRequest, map: ReadonlyMap<string, string>): void {
    const env = request.OCI?.Process?.Env ?? [];
    for (const [index, entry] of env.entries()) {
      const [name = '', value = ''] = entry.split('=');
      if (!name.startsWith('PCIDEVICE_') || name.endsWith('_INFO')) continue;
      if (map.size === 0) this.#fail(`No PCI mapping found for container ${request.containerId}`);
      const guests = value.split(',').map((address) => {
        if (map.size > 0 && !map.has(address)) this.#fail(`Unable to translate host PCI address ${address}`);
        return map.get(address) ?? address;
      });
      env[index] = `${name}=${guests.join()}`;
    }
  }

  #fail(message: string): void {
    if (this.#isBefore(32)) throw internal(message);
    this.warnings.push(message);
  }

  #isBefore(minor: number): boolean {
    const [major = 0, own = 0] = this.version.split('.').map(Number);
    return major < 3 || (major === 3 && own < minor);
  }
}

function internal(message: string): TtrpcError {
  return new TtrpcError(Code.INTERNAL, message);
}
