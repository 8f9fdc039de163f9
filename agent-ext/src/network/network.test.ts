import { create } from '@bufbuild/protobuf';
import { InterfaceSchema, IPFamily, RouteSchema } from '@kata-mock/contracts';
import { describe, expect, test } from 'vitest';
import { checkDestination, checkInterfaceName, checkPrefix } from './checks.ts';
import { interfaceCommands, restoreCommands } from './interfaces.ts';
import type { IpLink } from './ip.ts';
import { describeRoute, routeCommands } from './routes.ts';

const words = (commands: string[][]) => commands.map((command) => command.join(' '));

const link = (ifname: string, ifindex: number, ...addresses: string[]): IpLink => ({
  ...{ ifname, ifindex, flags: ['UP'], mtu: 1500 },
  addr_info: addresses.map((local) => ({ family: 'inet', local, prefixlen: 24, scope: 'global' })),
});

describe('an interface of a request', () => {
  test('is renamed while down, then gets its addresses and its MTU', () => {
    const wanted = create(InterfaceSchema, {
      name: 'eth0',
      mtu: 1400n,
      rawFlags: 0x80,
      IPAddresses: [
        { address: '10.0.0.2', mask: '24' },
        { address: 'fd00::2', mask: '64', family: IPFamily.v6 },
      ],
    });
    expect(words(interfaceCommands(link('enp1s0', 2), wanted, []))).toEqual([
      'link set dev enp1s0 down',
      'link set dev enp1s0 name eth0',
      'address flush dev eth0 scope global',
      'address replace 10.0.0.2/24 dev eth0',
      'address replace fd00::2/64 dev eth0',
      'link set dev eth0 mtu 1400',
      'link set dev eth0 arp off',
      'link set dev eth0 up',
    ]);
  });

  test('stays up when it has its name already', () => {
    const commands = interfaceCommands(link('eth0', 2), create(InterfaceSchema, { name: 'eth0' }), []);
    expect(words(commands)).toEqual(['address flush dev eth0 scope global', 'link set dev eth0 up']);
  });

  test('changes names with the link that has its name', () => {
    const [eth0, eth1] = [link('eth0', 2), link('eth1', 3)];
    const commands = interfaceCommands(eth0, create(InterfaceSchema, { name: 'eth1' }), [eth0, eth1]);
    expect(words(commands)).toEqual([
      'link set dev eth0 down',
      'link set dev eth1 down',
      'link set dev eth1 name km3',
      'link set dev eth0 name eth1',
      'link set dev km3 name eth0',
      'link set dev eth0 up',
      'address flush dev eth1 scope global',
      'link set dev eth1 up',
    ]);
  });

  test('is as before when its commands fail half way', () => {
    const before = [link('lo', 1), link('eth0', 2, '10.0.0.2'), { ...link('eth1', 3), flags: [] }];
    const now = [link('lo', 1), { ...link('eth1', 2), flags: [] }, { ...link('km3', 3), flags: [] }];
    expect(words(restoreCommands(before, now))).toEqual([
      'link set dev eth1 down',
      'link set dev eth1 name km2',
      'link set dev km3 down',
      'link set dev km3 name km3',
      'link set dev km2 name eth0',
      'link set dev km3 name eth1',
      'link set dev eth0 up',
      'address flush dev eth0 scope global',
      'address replace 10.0.0.2/24 dev eth0',
      'address flush dev eth1 scope global',
    ]);
    // What the request gave it before it failed goes.
    expect(words(restoreCommands([link('eth0', 2)], [link('eth0', 2, '10.9.9.9')]))).toEqual([
      'link set dev eth0 up',
      'address flush dev eth0 scope global',
    ]);
    expect(restoreCommands(before, before)).toEqual([]);
  });

  test.each([
    [{ name: 'a b' }, 'interface name'],
    [{ name: 'averyveryverylongname' }, 'interface name'],
    [{ name: '-x' }, 'interface name'],
    [{ name: 'eth0', mtu: 100_000n }, 'MTU'],
    [{ name: 'eth0', IPAddresses: [{ address: '10.0.0.2\nlink', mask: '24' }] }, 'IP address'],
    [{ name: 'eth0', IPAddresses: [{ address: '10.0.0.2', mask: '33' }] }, 'network mask'],
  ])('that makes no sense is refused (%#)', (wanted, what) => {
    expect(() => interfaceCommands(link('eth0', 2), create(InterfaceSchema, wanted), [])).toThrow(`invalid ${what}`);
  });

  test.each([
    ['24', 4, 24],
    ['255.255.255.0', 4, 24],
    ['0.0.0.0', 4, 0],
    ['64', 6, 64],
  ])('the mask %s is the length %3$i', (mask, family, length) => {
    expect(checkPrefix(mask, family)).toBe(length);
  });
});

describe('routes of a request', () => {
  const none = { v4: [], v6: [] };
  const route = (fields: object) => create(RouteSchema, { device: 'eth0', ...fields });

  test('are added in an order in which gateways are reachable', () => {
    const wanted = [
      route({ dest: '0.0.0.0/0', gateway: '10.0.0.1' }),
      route({ dest: '10.0.0.0/24', gateway: '10.0.0.1', source: '10.0.0.2' }),
      route({ dest: '10.0.0.1/32', scope: 253, source: '10.0.0.2' }),
    ];
    expect(words(routeCommands(wanted, none).v4)).toEqual([
      'route replace 10.0.0.1/32 dev eth0 src 10.0.0.2 scope 253',
      'route replace 10.0.0.0/24 via 10.0.0.1 dev eth0 src 10.0.0.2',
      'route replace 0.0.0.0/0 via 10.0.0.1 dev eth0',
    ]);
  });

  test('take the place of others; the kernel’s own and the wanted ones stay', () => {
    const present = {
      v4: [
        { dst: '10.0.0.0/24', dev: 'eth0', protocol: '2' },
        { dst: 'default', dev: 'eth0', protocol: '3' },
        { dst: '10.9.0.0/16', dev: 'eth0', protocol: '3' },
      ],
      v6: [{ dst: 'default', dev: 'eth0', protocol: '3' }],
    };
    const commands = routeCommands([route({ dest: '', gateway: '10.0.0.1' })], present);
    expect(words(commands.v4)).toEqual([
      'route delete 10.9.0.0/16 dev eth0',
      'route replace default via 10.0.0.1 dev eth0',
    ]);
  });

  test('have no metric: one of another metric is another route', () => {
    const present = {
      v4: [
        { dst: 'default', dev: 'eth0' },
        { dst: 'default', dev: 'eth0', metric: 50 },
      ],
      v6: [
        { dst: 'default', dev: 'eth0', metric: 1024 },
        { dst: 'default', dev: 'eth0', metric: 5 },
      ],
    };
    const wanted = [route({ dest: '', gateway: '10.0.0.1' }), route({ dest: '', gateway: 'fd00::1' })];
    const { v4, v6 } = routeCommands(wanted, present);
    expect(words(v4)).toEqual([
      'route delete default dev eth0 metric 50',
      'route replace default via 10.0.0.1 dev eth0',
    ]);
    expect(words(v6)).toEqual(['route delete default dev eth0 metric 5', 'route replace default via fd00::1 dev eth0']);
  });

  test('are told apart by family', () => {
    expect(words(routeCommands([route({ dest: 'fd00::/64' })], none).v6)).toEqual(['route replace fd00::/64 dev eth0']);
  });

  test('are described as a shim expects them', () => {
    expect(
      describeRoute({ dst: 'default', gateway: '10.0.0.1', dev: 'eth0', flags: ['onlink'] }, IPFamily.v4),
    ).toMatchObject({ dest: '', gateway: '10.0.0.1', device: 'eth0', flags: 4 });
  });

  test.each(['10.0.0.0/33', '10.0.0.0/8; reboot', 'x', '10.0.0.0/8/8', 'fd00::/129'])(
    'the destination %j is refused',
    (destination) => {
      expect(() => checkDestination(destination)).toThrow('invalid route destination');
    },
  );

  test('interface names with syntax in them are refused', () => {
    expect(() => checkInterfaceName('eth0\nlink')).toThrow('invalid interface name');
  });
});
