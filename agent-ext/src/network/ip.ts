import type { Reaper } from '../init/reaper.ts';
import { mustRun } from '../run-program.ts';

/** What iproute2 prints about a link. */
export interface IpLink {
  readonly ifname: string;
  /** The number that stays when the name changes. */
  readonly ifindex: number;
  readonly flags: readonly string[];
  readonly address?: string;
  readonly mtu: number;
  readonly link_type?: string;
  readonly addr_info?: readonly {
    readonly family: string;
    readonly local: string;
    readonly prefixlen: number;
    readonly scope?: string;
  }[];
}

/** What iproute2 prints about a route. */
export interface IpRoute {
  readonly dst: string;
  readonly gateway?: string;
  readonly dev?: string;
  readonly prefsrc?: string;
  readonly scope?: string;
  readonly protocol?: string;
  readonly metric?: number;
  readonly flags?: readonly string[];
  readonly metrics?: readonly { readonly mtu?: number }[];
}

/** The guest's network by iproute2: small, in every image, and no netlink of our own to get wrong. */
export class Ip {
  readonly #reaper: Reaper;

  constructor(reaper: Reaper) {
    this.#reaper = reaper;
  }

  links(): Promise<IpLink[]> {
    return this.#json(['-details', 'address', 'show']);
  }

  /** Main table of one family; numbers instead of names. */
  routes(family: '-4' | '-6'): Promise<IpRoute[]> {
    return this.#json([family, '-N', 'route', 'show']);
  }

  /** Runs several commands in one process; the first that fails ends it. Words must have been checked. */
  async batch(commands: readonly (readonly string[])[], ...options: ('-4' | '-6')[]): Promise<void> {
    if (commands.length === 0) return;
    const input = `${commands.map((words) => words.join(' ')).join('\n')}\n`;
    await mustRun(this.#reaper, 'ip', [...options, '-batch', '-'], { input });
  }

  async #json<T>(args: readonly string[]): Promise<T[]> {
    const text = await mustRun(this.#reaper, 'ip', ['-json', ...args]);
    return text.trim() === '' ? [] : (JSON.parse(text) as T[]);
  }
}
