import { type FSWatcher, readFileSync, watch } from 'node:fs';
import path from 'node:path';

/** More untold events than this are dropped, oldest first: nobody is listening. */
const MOST_UNTOLD = 256;

/** Out-of-memory kills by container, from `memory.events` of its cgroup, handed to one caller each. */
export class OomEvents {
  readonly #cgroupRoot: string;
  readonly #watches = new Map<string, FSWatcher>();
  readonly #untold: string[] = [];
  readonly #waiting = new Set<(containerId: string) => void>();

  constructor(cgroupRoot: string) {
    this.#cgroupRoot = cgroupRoot;
  }

  /** Watches one container. Where its cgroup cannot be watched there are no events for it; the error says why. */
  watch(containerId: string, cgroup: string): void {
    const file = path.join(this.#cgroupRoot, cgroup, 'memory.events');
    let kills = killsIn(file) ?? 0;
    const watcher = watch(file, () => {
      const now = killsIn(file);
      if (now !== undefined && now > kills) {
        kills = now;
        this.#happened(containerId);
      }
    });
    watcher.on('error', () => this.unwatch(containerId));
    this.#watches.set(containerId, watcher);
  }

  unwatch(containerId: string): void {
    this.#watches.get(containerId)?.close();
    this.#watches.delete(containerId);
  }

  /** Id of the next container that met its memory limit. Blocks until there is one or the caller goes away. */
  next(signal: AbortSignal): Promise<string> {
    const untold = this.#untold.shift();
    if (untold !== undefined) return Promise.resolve(untold);
    return new Promise((resolve, reject) => {
      const tell = (containerId: string) => {
        signal.removeEventListener('abort', giveUp);
        this.#waiting.delete(tell);
        resolve(containerId);
      };
      const giveUp = () => {
        this.#waiting.delete(tell);
        reject(signal.reason);
      };
      this.#waiting.add(tell);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  close(): void {
    for (const id of [...this.#watches.keys()]) this.unwatch(id);
  }

  #happened(containerId: string): void {
    const [first] = this.#waiting;
    if (first) {
      first(containerId);
      return;
    }
    this.#untold.push(containerId);
    if (this.#untold.length > MOST_UNTOLD) this.#untold.shift();
  }
}

function killsIn(file: string): number | undefined {
  try {
    const match = /^oom_kill (\d+)$/m.exec(readFileSync(file, 'utf8'));
    return match ? Number(match[1]) : undefined;
  } catch {
    // The cgroup is gone; unwatch follows.
    return undefined;
  }
}
