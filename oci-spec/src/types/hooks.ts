import type { Int32 } from './scalars.ts';

/** Programs run at points of a container's life. */
export interface Hooks {
  /** Deprecated by the specification in favour of the three create/start points. */
  prestart?: Hook[];
  /** Runtime namespace, after the namespaces exist, before pivot_root. */
  createRuntime?: Hook[];
  /** Container namespace, before pivot_root. */
  createContainer?: Hook[];
  /** Container namespace, just before the user's process. */
  startContainer?: Hook[];
  /** Runtime namespace, after the user's process started. */
  poststart?: Hook[];
  /** Runtime namespace, after the container is deleted. */
  poststop?: Hook[];
}

/** The points of {@link Hooks}, in the order in which they run. */
export type HookName = 'prestart' | 'createRuntime' | 'createContainer' | 'startContainer' | 'poststart' | 'poststop';

export interface Hook {
  /** Absolute path of the program. */
  path: string;
  /** As for execv: the first is the program's name. */
  args?: string[];
  env?: string[];
  /** Seconds before the hook is killed. */
  timeout?: Int32;
}
