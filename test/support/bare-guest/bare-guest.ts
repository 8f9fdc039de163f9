import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { type Host, type MockAccelOptions, startHost } from '@kata-mock/vfio-user';
import { type Artefacts, readArtefacts } from '../../../guest-image/src/index.ts';
import { EMULATED_CPU, QUICK_BOOT } from '../emulation.ts';
import { build, program } from '../paths.ts';
import { qmp } from '../qmp.ts';
import { bareGuestImage } from './image.ts';
import { type Answer, type Operations, PORT, type Request } from './protocol.ts';

export interface BareGuestOptions {
  /** Mock devices, each on its own root port, in slots from 0x10 on. Several functions of one slot: give a list. */
  devices: (MockAccelOptions | MockAccelOptions[])[];
  /** Further devices, on the next root ports: modules (file: URLs) whose default export is a device. */
  modules?: string[];
  /** Properties of a device at QEMU beside the usual ones, by its index, such as `x-no-posted-writes`. */
  properties?: Record<number, object>;
  /** Devices (by index) that a vfio-user-proxy stands before; see {@link BareGuest.proxyControl}. */
  proxied?: number[];
  /** Devices (by index) whose every message is recorded from the first on, until `trace-stop`. */
  traced?: number[];
  /** Further QEMU arguments. */
  qemu?: string[];
  /** Mebibytes, default 512. */
  memory?: number;
  onClientGone?: 'exit' | 'relisten';
}

/** An operation failed in the guest; `code` is the errno's name. */
export class GuestError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

type Promised<F> = F extends (...args: infer A) => infer R ? (...args: A) => Promise<R> : never;
type Remote = { [K in keyof Operations]: Promised<Operations[K]> };

/** Longest time for a boot under emulation on a busy machine. */
const BOOT_MS = 120_000;
const ANSWER_MS = 60_000;

/** A VM with mock devices and no agent: the test does what it wants in it, by {@link Operations}. */
export class BareGuest {
  readonly host: Host;
  readonly do: Remote;
  readonly #qemu: ChildProcess;
  readonly #folder: string;
  readonly #proxies: ChildProcess[];
  readonly #waiting: ((answer: Answer) => void)[] = [];
  #socket: net.Socket | undefined;

  static async boot(options: BareGuestOptions): Promise<BareGuest> {
    const image = await bareGuestImage();
    const folder = mkdtempSync(path.join(os.tmpdir(), 'km-guest-'));
    const specs = options.devices.map((device) => (Array.isArray(device) ? device : [device]));
    const functions = specs.flatMap((slot, index) =>
      slot.map((device, number) => ({
        id: `d${index}.${number}`,
        socketPath: path.join(folder, `d${index}.${number}.sock`),
        model: 'mock-accel',
        options: { ...device },
      })),
    );
    for (const [index, model] of (options.modules ?? []).entries()) {
      const id = `d${specs.length + index}.0`;
      functions.push({ id, socketPath: path.join(folder, `${id}.sock`), model, options: {} });
    }
    const host = await startHost({ functions, onClientGone: options.onClientGone ?? 'exit' });
    for (const index of options.traced ?? [])
      await host.request(`d${index}.0`, 'trace-start', { file: path.join(folder, `d${index}.pcapng`) });
    const slots = [...specs.map((slot) => slot.length), ...(options.modules ?? []).map(() => 1)];
    const devices = slots.flatMap((count, index) =>
      deviceArguments(folder, index, count, {
        ...options.properties?.[index],
        ...(options.proxied?.includes(index) && { socket: { type: 'unix', path: frontSocket(folder, index) } }),
      }),
    );
    const proxies = await Promise.all((options.proxied ?? []).map((index) => startProxy(folder, index)));
    host.on('log', ({ id, level, message, fields }) => {
      if (level === 'error' || level === 'warn')
        console.error(`device host: ${id}: ${message} ${JSON.stringify(fields)}`);
    });
    const guest = new BareGuest(host, folder, proxies, [
      ...machineArguments(await readArtefacts(build), image, folder, options.memory ?? 512),
      ...devices,
      ...(options.qemu ?? []),
    ]);
    try {
      await guest.#connect();
      return guest;
    } catch (error) {
      const reason = `${(error as Error).message}\n${guest.consoleText().slice(-6000)}`;
      await guest.stop();
      throw new Error(`the guest did not start: ${reason}`);
    }
  }

  private constructor(host: Host, folder: string, proxies: ChildProcess[], args: string[]) {
    this.host = host;
    this.#folder = folder;
    this.#proxies = proxies;
    const [program, ...rest] = args;
    this.#qemu = spawn(program!, rest, { stdio: ['ignore', 'ignore', 'inherit'] });
    this.do = new Proxy({} as Remote, {
      get:
        (_target, op: string) =>
        (...args: unknown[]) =>
          this.#ask({ op: op as keyof Operations, args }),
    });
  }

  /** What the guest's kernel printed. */
  consoleText(): string {
    try {
      return readFileSync(path.join(this.#folder, 'console.log'), 'utf8');
    } catch {
      return '';
    }
  }

  /** A path in the VM's own folder, which goes with it. */
  file(name: string): string {
    return path.join(this.#folder, name);
  }

  /** QEMU's monitor. It serves one client at a time. */
  get monitor(): string {
    return this.file('qmp.sock');
  }

  /** Control socket of the proxy before device `index`. */
  proxyControl(index: number): string {
    return proxyControl(this.#folder, index);
  }

  /** Sends one QMP command and returns its answer. */
  qmp(execute: string, args: object = {}): Promise<unknown> {
    return qmp(this.monitor, execute, args);
  }

  /** Unplugs device `index` (one of a single function) and plugs it in again: a fresh connection to its socket. */
  async replug(index: number): Promise<void> {
    const id = `dev${index}.0`;
    await this.qmp('device_del', { id }).catch(() => {});
    await this.gone(id);
    await this.plug(index);
  }

  /** Waits until QEMU has let a device go. */
  async gone(id: string): Promise<void> {
    for (;;) {
      const there = await this.qmp('qom-get', { path: `/machine/peripheral/${id}`, property: 'type' }).then(
        () => true,
        () => false,
      );
      if (!there) return;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** Plugs a device in at root port `index`, once the guest has switched the slot off. */
  async plug(index: number, socketPath = this.file(`d${index}.0.sock`)): Promise<void> {
    const id = `dev${index}.0`;
    await this.#slotOff(index);
    const socket = { type: 'unix', path: socketPath };
    await this.qmp('device_add', { driver: 'vfio-user-pci', id, socket, bus: `rp${index}`, addr: '0.0', rombar: 0 });
  }

  /** Waits until the guest has switched the slot off: a device plugged in before that is not found. */
  async #slotOff(index: number): Promise<void> {
    const slots = '/sys/bus/pci/slots';
    for (;;) {
      for (const name of await this.do.list(slots)) {
        const address = (await this.do.read(`${slots}/${name}/address`)).trim();
        if (!address.endsWith(`:${String(index + 1).padStart(2, '0')}:00`)) continue;
        if ((await this.do.read(`${slots}/${name}/power`)).trim() === '0') return;
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  async stop(): Promise<void> {
    this.#socket?.destroy();
    if (this.#qemu.exitCode === null && this.#qemu.signalCode === null) {
      this.#qemu.kill('SIGKILL');
      await once(this.#qemu, 'close');
    }
    for (const proxy of this.#proxies) proxy.kill('SIGKILL');
    await this.host.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #connect(): Promise<void> {
    const deadline = AbortSignal.timeout(BOOT_MS);
    const socket = await this.#dial(deadline);
    this.#socket = socket;
    readline.createInterface({ input: socket }).on('line', (line) => this.#waiting.shift()?.(JSON.parse(line)));
    const ready = new Promise<Answer>((resolve) => this.#waiting.push(resolve));
    const ended = once(this.#qemu, 'close').then(([status]) => {
      throw new Error(`QEMU ended with status ${status}`);
    });
    ended.catch(() => {});
    await Promise.race([ready, ended, rejectOn(deadline, 'no answer from the guest')]);
  }

  /** QEMU makes the socket shortly after its start. */
  async #dial(deadline: AbortSignal): Promise<net.Socket> {
    for (;;) {
      const socket = net.connect(path.join(this.#folder, 'test.sock'));
      try {
        await once(socket, 'connect', { signal: deadline });
        return socket;
      } catch (error) {
        socket.destroy();
        if (deadline.aborted || this.#qemu.exitCode !== null) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  async #ask(request: Request): Promise<unknown> {
    const answer = new Promise<Answer>((resolve) => this.#waiting.push(resolve));
    this.#socket?.write(`${JSON.stringify(request)}\n`);
    const late = rejectOn(AbortSignal.timeout(ANSWER_MS), `no answer to ${request.op} ${JSON.stringify(request.args)}`);
    const got = await Promise.race([answer, late]);
    if ('error' in got) throw new GuestError(got.error.code, got.error.message);
    return got.result;
  }
}

function machineArguments(artefacts: Artefacts, image: string, folder: string, memory: number): string[] {
  const { qemu, kernel, initrd } = artefacts;
  if (!qemu || !kernel || !initrd) throw new Error('nothing to boot: run "make image" first');
  const chardev = (id: string, file: string) => `socket,id=${id},path=${path.join(folder, file)},server=on,wait=off`;
  return [
    qemu.path,
    ...['-nodefaults', '-display', 'none', '-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', EMULATED_CPU],
    ...[
      '-smp',
      '2',
      '-m',
      String(memory),
      '-kernel',
      kernel,
      '-initrd',
      initrd,
      '-append',
      `console=ttyS0 quiet panic=-1 ${QUICK_BOOT}`,
    ],
    ...['-no-reboot', '-serial', `file:${path.join(folder, 'console.log')}`],
    ...['-qmp', `unix:${path.join(folder, 'qmp.sock')},server=on,wait=off`],
    ...['-drive', `if=none,id=root,file=${image},format=raw,readonly=on`],
    ...['-device', 'virtio-blk-pci,drive=root,serial=kata-mock-root'],
    ...['-chardev', chardev('test', 'test.sock'), '-device', 'virtio-serial-pci'],
    ...['-device', `virtserialport,chardev=test,name=${PORT}`],
  ];
}

const frontSocket = (folder: string, index: number) => path.join(folder, `p${index}.sock`);
const proxyControl = (folder: string, index: number) => path.join(folder, `p${index}-control.sock`);

/** The proxy before device `index`, listening. */
async function startProxy(folder: string, index: number): Promise<ChildProcess> {
  const front = frontSocket(folder, index);
  const args = ['--control', proxyControl(folder, index), front, path.join(folder, `d${index}.0.sock`)];
  const proxy = spawn(program('vfio-user-proxy'), args, { stdio: ['ignore', 'ignore', 'inherit'] });
  while (!existsSync(proxyControl(folder, index))) {
    if (proxy.exitCode !== null) throw new Error(`vfio-user-proxy ended with status ${proxy.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return proxy;
}

/** One root port with the functions of one slot behind it. */
function deviceArguments(folder: string, index: number, functions: number, properties: object): string[] {
  const port = `rp${index}`;
  // Hexadecimal: without 0x QEMU reads digits as such, too, and slots would begin at 0x16.
  const slot = `0x${(0x10 + index).toString(16)}`;
  const args = ['-device', `pcie-root-port,id=${port},bus=pcie.0,chassis=${index + 1},addr=${slot}`];
  for (let number = 0; number < functions; number++) {
    const device = {
      driver: 'vfio-user-pci',
      id: `dev${index}.${number}`,
      socket: { type: 'unix', path: path.join(folder, `d${index}.${number}.sock`) },
      bus: port,
      addr: `0.${number}`,
      ...(functions > 1 && number === 0 && { multifunction: true }),
      rombar: 0,
      ...properties,
    };
    args.push('-device', JSON.stringify(device));
  }
  return args;
}

function rejectOn(signal: AbortSignal, reason: string): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error(reason)), { once: true });
  });
}
