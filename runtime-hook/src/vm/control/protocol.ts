import type { KataMockErrorCode } from '../../errors.ts';
import type { SandboxState } from '../sandbox/state.ts';
import type { RootfsMode } from '../share/protocol.ts';

/**
 * What the owner of a sandbox answers on `control.sock`: one JSON object a line, answers in any order by id. A
 * container belongs to the connection that created it: when that closes, the owner kills and removes it, so a
 * `kata-mock run --sandbox` that is killed leaves nothing behind.
 */
export interface ControlCalls {
  status(params: object): SandboxState;
  createContainer(params: CreateContainerParams): { id: string };
  removeContainer(params: { id: string }): object;
}

export interface CreateContainerParams {
  id: string;
  /** OCI spec as JSON text, so that its numbers stay exact. */
  spec: string;
  rootfs: string;
  rootfsMode: RootfsMode;
  bundle?: string;
  /** Set PCIDEVICE_KATA_MOCK_DEV_ACCEL as a device plugin would. */
  describeDevices: boolean;
}

export type ControlMethod = keyof ControlCalls;

export interface ControlRequest {
  id: number;
  method: string;
  params?: unknown;
}

export type ControlAnswer =
  | { id: number; result: unknown }
  | { id: number; error: { code: KataMockErrorCode; message: string; hint?: string | undefined } };
