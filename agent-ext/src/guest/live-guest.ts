import { EventEmitter } from 'node:events';
import { constants, lstatSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { DeviceNode, Guest, Uevent } from '@kata-mock/devices';
import { isMissing } from '@kata-mock/pci';
import { major, minor, UeventMonitor } from '@kata-mock/posix';

/** uname's name for what Node calls otherwise. */
const MACHINES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };

/** The machine the agent runs in. */
export class LiveGuest implements Guest {
  readonly sysfs = '/sys';
  readonly arch = MACHINES[process.arch] ?? process.arch;
  readonly #events = new EventEmitter<{ uevent: [Uevent & { env: Record<string, string> }] }>();
  readonly #monitor: UeventMonitor | undefined;

  /** @param onProblem told when kernel events cannot be had; devices are then found by looking every 100 ms */
  constructor(onProblem: (error: Error) => void) {
    this.#events.setMaxListeners(0);
    try {
      const monitor = new UeventMonitor();
      monitor.on('uevent', (event) => this.#events.emit('uevent', event));
      monitor.on('lost', () => this.#events.emit('uevent', { action: 'lost', devpath: '/', env: {} }));
      monitor.on('error', onProblem);
      this.#monitor = monitor;
    } catch (error) {
      onProblem(error as Error);
    }
  }

  readNode(path: string): DeviceNode | 'other' | undefined {
    try {
      const stat = lstatSync(path);
      if (!stat.isCharacterDevice() && !stat.isBlockDevice()) return 'other';
      return { type: stat.isBlockDevice() ? 'b' : 'c', major: major(stat.rdev), minor: minor(stat.rdev) };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async write(path: string, text: string): Promise<void> {
    // Without O_CREAT and O_TRUNC: sysfs files exist or the write is an error.
    const file = await open(`${this.sysfs}${path}`, constants.O_WRONLY);
    try {
      await file.write(text);
    } finally {
      await file.close();
    }
  }

  onUevent(listener: (event: Uevent & { env: Record<string, string> }) => void): () => void {
    this.#events.on('uevent', listener);
    return () => this.#events.off('uevent', listener);
  }

  close(): void {
    this.#monitor?.close();
  }
}
