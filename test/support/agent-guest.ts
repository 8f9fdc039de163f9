import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  AgentService,
  Health,
  type InventoryDevice,
  inventoryFwCfgName,
  serializeInventory,
} from '@kata-mock/contracts';
import { type Host, startHost } from '@kata-mock/vfio-user';
import { type Client, type Connection, connect, createClient } from 'ttrpc-ts';
import { artefacts as readArtefacts } from './artefacts.ts';
import { EMULATED_CPU, QUICK_BOOT } from './emulation.ts';

/** Address of the guest's network card, as in the recording of a pod. */
export const CARD = 'aa:50:56:da:d3:b1';
/** Where a guest sees what is in {@link AgentGuest.share}. */
export const SHARED = '/run/kata-containers/shared/containers';

const BOOT_MS = 120_000;

export interface AgentGuestOptions {
  /** Mock devices: one behind a pxb, the others behind root ports of the machine. Default 1. */
  readonly devices?: number;
  /** Names of more virtio-serial ports; see {@link AgentGuest.connectPort}. */
  readonly ports?: readonly string[];
  /** Image files of more disks, read-only: /dev/vdb and on. */
  readonly disks?: readonly string[];
  /** More arguments of QEMU, before every device: an IOMMU must be there first. */
  readonly qemu?: readonly string[];
  /** Another root image than the agent's own. */
  readonly rootImage?: string;
  /** More words of the kernel command line, such as `agent.log=debug`. */
  readonly kernel?: readonly string[];
}

/** A VM with our image, whose agent a test drives call by call, without the command or a shim in between. */
export class AgentGuest {
  readonly agent: Client<typeof AgentService>;
  readonly health: Client<typeof Health>;
  readonly connection: Connection;
  /** Directory of the host that the guest mounts at {@link SHARED} once a sandbox is made. */
  readonly share: string;
  readonly inventory: readonly InventoryDevice[];
  /** From QEMU's exec to the first answer. */
  readonly readyMs: number;
  readonly #folder: string;
  readonly #processes: readonly ChildProcess[];
  readonly #host: Host;

  static async boot(options: AgentGuestOptions = {}): Promise<AgentGuest> {
    if (process.getuid?.() !== 0) throw new Error('tests that boot VMs need root');
    const folder = mkdtempSync(path.join(os.tmpdir(), 'km-agent-'));
    const share = path.join(folder, 'share');
    mkdirSync(share);
    const inventory = Array.from({ length: options.devices ?? 1 }, (_, index) => device(index));
    const host = await startHost({
      functions: inventory.map(({ uuid }, index) => ({
        id: `d${index}`,
        socketPath: path.join(folder, `d${index}.sock`),
        model: 'mock-accel',
        options: { uuid, memorySize: '1G' },
      })),
    });
    writeFileSync(path.join(folder, 'inventory.json'), serializeInventory({ version: 1, devices: [...inventory] }));
    const found = readArtefacts();
    const artefacts = { ...found, rootImage: options.rootImage ?? found.rootImage };
    const virtiofsd = spawn(
      artefacts.virtiofsd.path,
      ['--socket-path', path.join(folder, 'fs.sock'), '--shared-dir', share, '--sandbox', 'none', '--cache', 'auto'],
      { stdio: 'ignore' },
    );
    await exists(path.join(folder, 'fs.sock'));
    const started = performance.now();
    const qemu = spawn(artefacts.qemu.path, machine(artefacts, folder, inventory, options), {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const socket = path.join(folder, 'agent.sock');
    const connection = await dial(socket);
    const guest = new AgentGuest({ folder, share, inventory, host, connection, processes: [qemu, virtiofsd], started });
    try {
      await guest.health.check({}, { timeoutMs: BOOT_MS });
      Object.assign(guest, { readyMs: performance.now() - started });
      return guest;
    } catch (error) {
      const text = guest.consoleText().slice(-4000);
      await guest.stop();
      throw new Error(`the agent does not answer: ${(error as Error).message}\n${text}`);
    }
  }

  private constructor(parts: {
    folder: string;
    share: string;
    inventory: readonly InventoryDevice[];
    host: Host;
    connection: Connection;
    processes: readonly ChildProcess[];
    started: number;
  }) {
    this.#folder = parts.folder;
    this.share = parts.share;
    this.inventory = parts.inventory;
    this.#host = parts.host;
    this.#processes = parts.processes;
    this.connection = parts.connection;
    this.agent = createClient(AgentService, parts.connection);
    this.health = createClient(Health, parts.connection);
    this.readyMs = Number.NaN;
  }

  /** A connection to whoever serves a further port in the guest. */
  connectPort(name: string): Promise<Connection> {
    return dial(path.join(this.#folder, `${name}.sock`));
  }

  /** What kernel and agent printed. */
  consoleText(): string {
    const file = path.join(this.#folder, 'console.log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** Makes the file server of {@link share} hang, or go on: what the guest asks it meanwhile is answered then. */
  hangFiles(hangs: boolean): void {
    this.#processes[1]?.kill(hangs ? 'SIGSTOP' : 'SIGCONT');
  }

  /** Whether QEMU ends within the time. */
  async poweredOff(timeoutMs: number): Promise<boolean> {
    const [qemu] = this.#processes as [ChildProcess];
    if (qemu.exitCode !== null) return true;
    return once(qemu, 'close', { signal: AbortSignal.timeout(timeoutMs) }).then(
      () => true,
      () => false,
    );
  }

  async stop(): Promise<void> {
    this.connection.close();
    for (const child of this.#processes) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    await this.#host.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function device(index: number): InventoryDevice {
  const digit = `${index + 1}`;
  return {
    uuid: `${digit.repeat(8)}-1111-4111-8111-111111111111`,
    hostAddress: `0000:${(0x1a + index).toString(16)}:00.0`,
    deviceTreePath: index === 0 ? 'a0/00/00' : `${(0x10 + index).toString(16)}/00`,
    numaNode: -1,
    model: 'mock-accel',
    cdiName: `${index}`,
    containerPath: `/dev/mock${index}`,
  };
}

function machine(
  artefacts: { kernel: string; initrd: string; rootImage: string },
  folder: string,
  inventory: readonly InventoryDevice[],
  { kernel = [], ports = [], disks = [], qemu = [] }: AgentGuestOptions,
): string[] {
  const at = (name: string) => path.join(folder, name);
  return [
    ...['-accel', 'tcg,thread=multi', '-cpu', EMULATED_CPU, '-M', 'q35', '-m', '512', '-smp', '2'],
    ...['-object', 'memory-backend-memfd,id=m,size=512M,share=on', '-numa', 'node,memdev=m'],
    ...['-nodefaults', '-nographic', '-no-reboot', '-serial', `file:${at('console.log')}`],
    ...qemu,
    ...['-kernel', artefacts.kernel, '-initrd', artefacts.initrd],
    ...['-append', ['console=ttyS0 quiet net.ifnames=0', QUICK_BOOT, ...kernel].join(' ')],
    ...['-drive', `if=none,id=root,file=${artefacts.rootImage},format=raw,readonly=on,cache=unsafe`],
    ...['-device', 'virtio-blk-pci,drive=root,serial=kata-mock-root', '-device', 'virtio-serial-pci'],
    ...['-chardev', `socket,id=agent,path=${at('agent.sock')},server=on,wait=off`],
    ...['-device', 'virtserialport,chardev=agent,name=io.kata-mock.agent'],
    ...disks.flatMap((file, index) => [
      ...['-drive', `if=none,id=disk${index},file=${file},format=raw,readonly=on,cache=unsafe`],
      ...['-device', `virtio-blk-pci,drive=disk${index},serial=extension-kata-mock`],
    ]),
    ...ports.flatMap((name, index) => [
      ...['-chardev', `socket,id=port${index}c,path=${at(`${name}.sock`)},server=on,wait=off`],
      ...['-device', `virtserialport,chardev=port${index}c,name=${name}`],
    ]),
    ...['-chardev', `socket,id=fs,path=${at('fs.sock')}`, '-device', 'vhost-user-fs-pci,chardev=fs,tag=kataShared'],
    ...['-netdev', 'hubport,id=net0,hubid=0', '-device', `virtio-net-pci,netdev=net0,mac=${CARD}`],
    ...['-fw_cfg', `name=${inventoryFwCfgName},file=${at('inventory.json')}`],
    ...['-device', 'pxb-pcie,bus_nr=160,addr=0x10,id=pxb0,bus=pcie.0'],
    ...inventory.flatMap((_, index) => {
      const place = index === 0 ? 'bus=pxb0,addr=0' : `bus=pcie.0,addr=0x${(0x10 + index).toString(16)}`;
      const function_ = {
        driver: 'vfio-user-pci',
        id: `mock${index}`,
        socket: { type: 'unix', path: at(`d${index}.sock`) },
        bus: `port${index}`,
        rombar: 0,
      };
      return [
        '-device',
        `pcie-root-port,id=port${index},${place},chassis=${64 + index}`,
        '-device',
        JSON.stringify(function_),
      ];
    }),
  ];
}

/** Connects once QEMU listens: the socket's name is there a moment before. */
async function dial(socket: string): Promise<Connection> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    await exists(socket);
    try {
      return await connect(`unix://${socket}`);
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function exists(file: string): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!existsSync(file)) {
    if (performance.now() > deadline) throw new Error(`${file} did not appear`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
