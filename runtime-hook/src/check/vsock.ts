import { closeSync } from 'node:fs';
import { findProgram } from '../vm/transport/find-program.ts';
import { reserveVsock } from '../vm/transport/vhost-vsock.ts';
import type { Finding } from './finding.ts';

/** How the agent would be reached. */
export async function checkVsock(): Promise<Finding> {
  const name = 'agent transport';
  const answer = reserveVsock();
  if ('reservation' in answer) {
    closeSync(answer.reservation.fd);
    return { name, result: 'ok', detail: 'vhost-vsock' };
  }
  const program = findProgram('vhost-device-vsock');
  if (program !== undefined) {
    return { name, result: 'ok', detail: `hybrid vsock by ${program} (${answer.reason})` };
  }
  return {
    name,
    result: 'slower',
    detail: `virtio-serial (${answer.reason}; no vhost-device-vsock)`,
    mend: 'nothing needs it; for vsock: modprobe vhost_vsock, or install vhost-device-vsock',
  };
}
