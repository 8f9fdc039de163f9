import { AgentError } from '../errors.ts';
import { UndoStack } from '../undo.ts';
import type { Container } from './container.ts';
import { Makings } from './makings.ts';

/** What CreateSandbox set up and the containers in it. */
export class Sandbox {
  id = '';
  hostname = '';
  /** Whether all containers share the pid namespace of the first one. */
  sharedPidNamespace = false;
  /** Directory of hooks in the guest, empty for none. */
  guestHookPath = '';
  created = false;
  /** What DestroySandbox undoes besides containers and storages. */
  readonly setUp = new UndoStack();
  /** The calls that make something here and have not been answered. */
  readonly makings = new Makings();
  readonly #containers = new Map<string, Container>();
  /** Ids of containers that are being made: a second CreateContainer must fail at once. */
  readonly #reserved = new Set<string>();
  #destruction: Promise<void> | undefined;

  get containers(): readonly Container[] {
    return [...this.#containers.values()];
  }

  /** A container to do something with; one that is being removed is gone for that. */
  get(id: string): Container {
    const container = this.#containers.get(id);
    if (container && !container.isRemoving) return container;
    throw new AgentError('NOT_FOUND', `no container ${JSON.stringify(id)} in this sandbox`);
  }

  /** A container whose end is of interest, also while it is being removed. */
  known(id: string): Container {
    return this.#containers.get(id) ?? this.get(id);
  }

  /** Takes an id for a container that is being made; call `release` or `add` afterwards. */
  reserve(id: string): void {
    if (this.#containers.has(id) || this.#reserved.has(id)) {
      throw new AgentError('ALREADY_EXISTS', `container ${id} exists already`);
    }
    this.#reserved.add(id);
  }

  release(id: string): void {
    this.#reserved.delete(id);
  }

  add(container: Container): void {
    this.#reserved.delete(container.id);
    this.#containers.set(container.id, container);
  }

  remove(id: string): void {
    this.#containers.delete(id);
  }

  /** The container whose namespaces the others join: a pod's pause container, while it lives. */
  pause(): Container | undefined {
    return this.containers.find((container) => container.parts.isPause && container.init.status === undefined);
  }

  /** Ends it by these steps, once; whoever asks meanwhile waits for the same end. */
  destroy(steps: () => Promise<void>): Promise<void> {
    this.#destruction ??= steps();
    return this.#destruction;
  }

  /** Everything forgotten; for DestroySandbox. */
  reset(): void {
    this.#containers.clear();
    this.id = '';
    this.hostname = '';
    this.sharedPidNamespace = false;
    this.guestHookPath = '';
    this.created = false;
  }
}
