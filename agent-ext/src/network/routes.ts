import type { MessageInitShape } from '@bufbuild/protobuf';
import { IPFamily, type Route, type RouteSchema } from '@kata-mock/contracts';
import { AgentError } from '../errors.ts';
import { checkAddress, checkDestination, checkInterfaceName } from './checks.ts';
import type { IpRoute } from './ip.ts';

const RTNH_F_ONLINK = 4;
/** RTPROT_KERNEL: the kernel's own, for addresses; they go and come with those. */
const KERNEL = '2';

/** What a route has when a request adds it: no route of a request has a metric. One of another is another route. */
const METRIC_OF_IPV4 = 0;
const METRIC_OF_IPV6 = 1024;

/** Commands for each address family; a batch of iproute2 has one family. */
export interface RouteCommands {
  readonly v4: string[][];
  readonly v6: string[][];
}

/** Commands that make the main tables what the request says: the wanted routes in place, others gone. */
export function routeCommands(
  wanted: readonly Route[],
  present: { v4: readonly IpRoute[]; v6: readonly IpRoute[] },
): RouteCommands {
  // Routes without gateway first: a gateway must be reachable when its route is added.
  const ordered = [...wanted].sort((a, b) => Number(a.gateway !== '') - Number(b.gateway !== '') || rank(a) - rank(b));
  const keys = new Set(wanted.map((route) => key(route.dest, route.device)));
  const isWanted = ({ dst, dev = '', metric = 0 }: IpRoute, usual: number) =>
    metric === usual && keys.has(key(dst, dev));
  const stale = (routes: readonly IpRoute[], usual: number) =>
    routes
      .filter((route) => route.protocol !== KERNEL && !isWanted(route, usual))
      .map(({ dst, dev, metric }) => [
        ...['route', 'delete', dst, ...(dev === undefined ? [] : ['dev', dev])],
        ...(metric === undefined ? [] : ['metric', `${metric}`]),
      ]);
  const added = (isV6: boolean) =>
    ordered.filter((route) => isIpv6(route) === isV6).map((route) => ['route', 'replace', ...words(route)]);
  return {
    v4: [...stale(present.v4, METRIC_OF_IPV4), ...added(false)],
    v6: [...stale(present.v6, METRIC_OF_IPV6), ...added(true)],
  };
}

export function describeRoute(route: IpRoute, family: IPFamily): MessageInitShape<typeof RouteSchema> {
  return {
    dest: route.dst === 'default' ? '' : route.dst,
    gateway: route.gateway ?? '',
    device: route.dev ?? '',
    source: route.prefsrc ?? '',
    scope: Number(route.scope ?? 0) || 0,
    family,
    flags: route.flags?.includes('onlink') ? RTNH_F_ONLINK : 0,
    mtu: route.metrics?.[0]?.mtu ?? 0,
  };
}

function words({ dest, gateway, device, source, scope, flags, mtu }: Route): string[] {
  if (scope > 255) throw new AgentError('INVALID_ARGUMENT', `invalid route scope ${scope}: expected 0 to 255`);
  return [
    checkDestination(dest),
    ...(gateway === '' ? [] : ['via', checkAddress(gateway)]),
    ...(device === '' ? [] : ['dev', checkInterfaceName(device)]),
    ...(source === '' ? [] : ['src', checkAddress(source)]),
    ...(scope === 0 || gateway !== '' ? [] : ['scope', `${scope}`]),
    ...(mtu === 0 ? [] : ['mtu', `${mtu}`]),
    ...(flags & RTNH_F_ONLINK ? ['onlink'] : []),
  ];
}

/** The default route last among those with a gateway. */
function rank(route: Route): number {
  return ['default', '0.0.0.0/0', '::/0'].includes(checkDestination(route.dest)) ? 1 : 0;
}

function isIpv6(route: Route): boolean {
  return route.family === IPFamily.v6 || route.dest.includes(':') || route.gateway.includes(':');
}

/** iproute2 prints 0.0.0.0/0 as default and leaves /32 out. */
function key(destination: string, device: string): string {
  const plain = destination.replace(/\/(32|128)$/, '');
  return `${['', '0.0.0.0/0', '::/0'].includes(plain) ? 'default' : plain} ${device}`;
}
