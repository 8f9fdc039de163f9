import { mustRun } from '../../run-program.ts';
import type { Method } from '../method.ts';

/** In a guest without the tools both answer UNIMPLEMENTED, which shims take for "no such feature". */
export const getIPTables: Method<'getIPTables'> =
  (agent) =>
  async ({ isIpv6 }) => {
    return { data: Buffer.from(await mustRun(agent.reaper, isIpv6 ? 'ip6tables-save' : 'iptables-save', [])) };
  };

/** Answers the tables as they are afterwards. */
export const setIPTables: Method<'setIPTables'> =
  (agent) =>
  async ({ isIpv6, data }) => {
    await mustRun(agent.reaper, isIpv6 ? 'ip6tables-restore' : 'iptables-restore', ['--wait', '10'], { input: data });
    return { data: Buffer.from(await mustRun(agent.reaper, isIpv6 ? 'ip6tables-save' : 'iptables-save', [])) };
  };
