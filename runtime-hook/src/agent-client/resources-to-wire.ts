import type { LinuxResources } from '@kata-mock/oci-spec';

type Integer = number | bigint;

const big = (value: Integer | undefined) => BigInt(value ?? 0);

/** Also the body of UpdateContainer. An absent limit is 0 on the wire, which the agent takes for "not set". */
export function resourcesToWire(resources: LinuxResources) {
  const { memory, cpu, pids, blockIO, network } = resources;
  return {
    Devices: (resources.devices ?? []).map((rule) => ({
      Allow: rule.allow,
      Type: rule.type ?? '',
      Major: wildcard(rule.major),
      Minor: wildcard(rule.minor),
      Access: rule.access ?? '',
    })),
    ...(memory && {
      Memory: {
        Limit: big(memory.limit),
        Reservation: big(memory.reservation),
        Swap: big(memory.swap),
        Kernel: big(memory.kernel),
        KernelTCP: big(memory.kernelTCP),
        Swappiness: big(memory.swappiness),
        DisableOOMKiller: memory.disableOOMKiller ?? false,
      },
    }),
    ...(cpu && {
      CPU: {
        Shares: big(cpu.shares),
        Quota: big(cpu.quota),
        Period: big(cpu.period),
        RealtimeRuntime: big(cpu.realtimeRuntime),
        RealtimePeriod: big(cpu.realtimePeriod),
        Cpus: cpu.cpus ?? '',
        Mems: cpu.mems ?? '',
      },
    }),
    ...(pids && { Pids: { Limit: big(pids.limit) } }),
    ...(blockIO && { BlockIO: blockIoToWire(blockIO) }),
    HugepageLimits: (resources.hugepageLimits ?? []).map((limit) => ({
      Pagesize: limit.pageSize,
      Limit: BigInt(limit.limit),
    })),
    ...(network && {
      Network: {
        ClassID: network.classID ?? 0,
        Priorities: (network.priorities ?? []).map((p) => ({ Name: p.name, Priority: p.priority })),
      },
    }),
  };
}

/** A device rule without a number means every number; the protocol has no "absent", runc and Kata write -1. */
function wildcard(value: Integer | undefined): bigint {
  return value === undefined ? -1n : BigInt(value);
}

function blockIoToWire(blockIO: NonNullable<LinuxResources['blockIO']>) {
  const throttle = (entries: typeof blockIO.throttleReadBpsDevice) =>
    (entries ?? []).map((e) => ({ Major: BigInt(e.major), Minor: BigInt(e.minor), Rate: BigInt(e.rate) }));
  return {
    Weight: blockIO.weight ?? 0,
    LeafWeight: blockIO.leafWeight ?? 0,
    WeightDevice: (blockIO.weightDevice ?? []).map((e) => ({
      Major: BigInt(e.major),
      Minor: BigInt(e.minor),
      Weight: e.weight ?? 0,
      LeafWeight: e.leafWeight ?? 0,
    })),
    ThrottleReadBpsDevice: throttle(blockIO.throttleReadBpsDevice),
    ThrottleWriteBpsDevice: throttle(blockIO.throttleWriteBpsDevice),
    ThrottleReadIOPSDevice: throttle(blockIO.throttleReadIOPSDevice),
    ThrottleWriteIOPSDevice: throttle(blockIO.throttleWriteIOPSDevice),
  };
}
