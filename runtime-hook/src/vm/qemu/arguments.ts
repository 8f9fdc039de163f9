/**
 * The argument list Kata 3.21's Go shim gives QEMU, in its order and shape (test/fixtures hold recordings of real
 * ones). What differs is what a machine without KVM, vhost-vsock or network needs, and each difference says so.
 */
import { shareTag } from '../../agent-client/guest-paths.ts';

/** How the host reaches the agent in the guest. */
export type AgentTransport =
  /** The kernel's vhost-vsock; `vhostFd` is QEMU's descriptor of /dev/vhost-vsock with the CID set. */
  | { kind: 'vsock'; cid: number; vhostFd: number }
  /** A vhost-device-vsock process on `socketPath`. */
  | { kind: 'hybrid-vsock'; cid: number; socketPath: string }
  /** A virtio-serial port; QEMU listens on `socketPath`. */
  | { kind: 'serial'; socketPath: string };

export interface QemuArgumentsInput {
  sandboxId: string;
  uuid: string;
  accel: 'kvm' | 'tcg';
  memoryMiB: number;
  /** Physical memory of the host, for maxmem. */
  hostMemoryMiB: number;
  cpus: number;
  /** The guest may grow to so many; Kata takes the host's count. */
  maxCpus: number;
  kernel: string;
  initrd: string;
  /** Added to the kernel's command line. */
  kernelParams: string[];
  /** QEMU's descriptor of the listening QMP socket. */
  qmpFd: number;
  consoleSocket: string;
  fsSocket: string;
  pidFile: string;
  transport: AgentTransport;
  verbose: boolean;
}

/**
 * Everything TCG can do, less what slows it: `rep movsb`, which the kernel copies memory by on a CPU that says it is fast
 * (TCG goes byte by byte), and page tables of five levels.
 */
const emulatedCpu = 'max,erms=off,fsrm=off,la57=off';

/** Virtio-serial port name the guest's agent listens on. */
export const agentPortName = 'io.kata-mock.agent';

export function qemuArguments(input: QemuArgumentsInput): string[] {
  const { accel, memoryMiB, cpus, maxCpus } = input;
  const size = `${memoryMiB}M`;
  return [
    ...['-name', `sandbox-${input.sandboxId}${input.verbose ? ',debug-threads=on' : ''}`],
    ...['-uuid', input.uuid],
    // Kata has accel=kvm here; TCG takes its options only from -accel.
    ...(accel === 'kvm' ? ['-machine', 'q35,accel=kvm'] : ['-machine', 'q35', '-accel', 'tcg,thread=multi']),
    ...['-cpu', accel === 'kvm' ? 'host,pmu=off' : emulatedCpu],
    ...['-qmp', `unix:fd=${input.qmpFd},server=on,wait=off`],
    ...['-m', `${size},slots=10,maxmem=${input.hostMemoryMiB + 1024}M`],
    ...device(
      'pci-bridge,bus=pcie.0,id=pci-bridge-0,chassis_nr=1,shpc=off,addr=2,io-reserve=4k,mem-reserve=1m,pref64-reserve=1m',
    ),
    ...device('virtio-serial-pci,disable-modern=false,id=serial0'),
    ...device('virtconsole,chardev=charconsole0,id=console0'),
    ...['-chardev', `socket,id=charconsole0,path=${comma(input.consoleSocket)},server=on,wait=off`],
    ...device('virtio-scsi-pci,id=scsi0,disable-modern=false'),
    ...['-object', 'rng-random,id=rng0,filename=/dev/urandom'],
    ...device('virtio-rng-pci,rng=rng0'),
    ...transportArguments(input.transport),
    ...['-chardev', `socket,id=char-${shareTag},path=${comma(input.fsSocket)}`],
    ...device(`vhost-user-fs-pci,chardev=char-${shareTag},tag=${shareTag},queue-size=1024`),
    ...['-rtc', 'base=utc,driftfix=slew,clock=host'],
    ...(accel === 'kvm' ? ['-global', 'kvm-pit.lost_tick_policy=discard'] : []),
    ...['-vga', 'none', '-no-user-config', '-nodefaults', '-nographic', '--no-reboot'],
    ...['-object', `memory-backend-file,id=dimm1,size=${size},mem-path=/dev/shm,share=on`],
    ...['-numa', 'node,memdev=dimm1'],
    ...['-kernel', input.kernel],
    ...['-initrd', input.initrd],
    ...['-append', kernelCommandLine(input)],
    ...['-pidfile', input.pidFile],
    ...['-smp', `${cpus},cores=1,threads=1,sockets=${maxCpus},maxcpus=${maxCpus}`],
  ];
}

/** Kata's list for an initrd without systemd. */
function kernelCommandLine({ maxCpus, verbose, kernelParams }: QemuArgumentsInput): string {
  return [
    'tsc=reliable no_timer_check rcupdate.rcu_expedited=1 i8042.direct=1 i8042.dumbkbd=1 i8042.nopnp=1 i8042.noaux=1',
    'noreplace-smp reboot=k cryptomgr.notests net.ifnames=0 pci=lastbus=0 console=hvc0 console=hvc1',
    verbose ? 'debug' : 'quiet',
    `panic=1 nr_cpus=${maxCpus} selinux=0 scsi_mod.scan=none`,
    ...(verbose ? ['agent.log=debug'] : []),
    'cgroup_no_v1=all systemd.unified_cgroup_hierarchy=1',
    ...kernelParams,
  ].join(' ');
}

function transportArguments(transport: AgentTransport): string[] {
  switch (transport.kind) {
    case 'vsock':
      return device(
        `vhost-vsock-pci,disable-modern=false,vhostfd=${transport.vhostFd},id=vsock-${transport.cid},guest-cid=${transport.cid}`,
      );
    case 'hybrid-vsock':
      return [
        ...['-chardev', `socket,id=charvsock0,path=${comma(transport.socketPath)}`],
        ...device(`vhost-user-vsock-pci,chardev=charvsock0,id=vsock-${transport.cid}`),
      ];
    case 'serial':
      return [
        ...['-chardev', `socket,id=charagent0,path=${comma(transport.socketPath)},server=on,wait=off`],
        ...device(`virtserialport,chardev=charagent0,id=agent0,name=${agentPortName}`),
      ];
  }
}

function device(text: string): string[] {
  return ['-device', text];
}

/** QEMU's key=value lists take a comma inside a value doubled. */
function comma(value: string): string {
  return value.replaceAll(',', ',,');
}
