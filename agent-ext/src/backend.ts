import type { Server } from 'ttrpc-ts';

/** Who runs the containers behind the agent's calls. */
export interface Backend {
  /** Offers its services on a server. */
  register(server: Server): void;
  /** Ends connections of its own. */
  close(): void;
}
