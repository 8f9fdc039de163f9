import { describe, expect, it } from 'vitest';
import { type QemuArgumentsInput, qemuArguments } from './arguments.ts';

const input: QemuArgumentsInput = {
  sandboxId: 'k3',
  uuid: '516aeb7b-3b98-453b-b3b3-70fca3988921',
  accel: 'kvm',
  memoryMiB: 512,
  hostMemoryMiB: 1024,
  cpus: 1,
  maxCpus: 2,
  kernel: '/opt/kata/share/kata-containers/vmlinuz.container',
  initrd: '/opt/rig/initrd.img',
  kernelParams: [],
  qmpFd: 3,
  consoleSocket: '/run/vc/vm/k3/console.sock',
  fsSocket: '/run/vc/vm/k3/vhost-fs.sock',
  pidFile: '/run/vc/vm/k3/pid',
  transport: { kind: 'vsock', cid: 2569511024, vhostFd: 4 },
  verbose: true,
};

// Recorded from a real Kata 3.21 Go shim ("ctr run, initrd, debug").
const recorded = [
  ['-name', 'sandbox-k3,debug-threads=on'],
  ['-uuid', '516aeb7b-3b98-453b-b3b3-70fca3988921'],
  ['-machine', 'q35,accel=kvm'],
  ['-cpu', 'host,pmu=off'],
  ['-qmp', 'unix:fd=3,server=on,wait=off'],
  ['-m', '512M,slots=10,maxmem=2048M'],
  [
    '-device',
    'pci-bridge,bus=pcie.0,id=pci-bridge-0,chassis_nr=1,shpc=off,addr=2,io-reserve=4k,mem-reserve=1m,pref64-reserve=1m',
  ],
  ['-device', 'virtio-serial-pci,disable-modern=false,id=serial0'],
  ['-device', 'virtconsole,chardev=charconsole0,id=console0'],
  ['-chardev', 'socket,id=charconsole0,path=/run/vc/vm/k3/console.sock,server=on,wait=off'],
  ['-device', 'virtio-scsi-pci,id=scsi0,disable-modern=false'],
  ['-object', 'rng-random,id=rng0,filename=/dev/urandom'],
  ['-device', 'virtio-rng-pci,rng=rng0'],
  ['-device', 'vhost-vsock-pci,disable-modern=false,vhostfd=4,id=vsock-2569511024,guest-cid=2569511024'],
  ['-chardev', 'socket,id=char-kataShared,path=/run/vc/vm/k3/vhost-fs.sock'],
  ['-device', 'vhost-user-fs-pci,chardev=char-kataShared,tag=kataShared,queue-size=1024'],
  ['-rtc', 'base=utc,driftfix=slew,clock=host'],
  ['-global', 'kvm-pit.lost_tick_policy=discard'],
  ['-vga', 'none', '-no-user-config', '-nodefaults', '-nographic', '--no-reboot'],
  ['-object', 'memory-backend-file,id=dimm1,size=512M,mem-path=/dev/shm,share=on'],
  ['-numa', 'node,memdev=dimm1'],
  ['-kernel', '/opt/kata/share/kata-containers/vmlinuz.container'],
  ['-initrd', '/opt/rig/initrd.img'],
  [
    '-append',
    'tsc=reliable no_timer_check rcupdate.rcu_expedited=1 i8042.direct=1 i8042.dumbkbd=1 i8042.nopnp=1 i8042.noaux=1 noreplace-smp reboot=k cryptomgr.notests net.ifnames=0 pci=lastbus=0 console=hvc0 console=hvc1 debug panic=1 nr_cpus=2 selinux=0 scsi_mod.scan=none agent.log=debug cgroup_no_v1=all systemd.unified_cgroup_hierarchy=1',
  ],
  ['-pidfile', '/run/vc/vm/k3/pid'],
  ['-smp', '1,cores=1,threads=1,sockets=2,maxcpus=2'],
].flat();

describe('qemuArguments', () => {
  it('is what a real shim passed, when the host has KVM and vhost-vsock', () => {
    expect(qemuArguments(input)).toEqual(recorded);
  });

  it('differs under TCG in the accelerator, the CPU and a KVM-only global, and nowhere else', () => {
    const tcg = qemuArguments({ ...input, accel: 'tcg' });
    const expected = [...recorded];
    expected.splice(expected.indexOf('q35,accel=kvm'), 1, 'q35', '-accel', 'tcg,thread=multi');
    expected.splice(expected.indexOf('host,pmu=off'), 1, 'max,erms=off,fsrm=off,la57=off');
    expected.splice(expected.indexOf('-global'), 2);
    expect(tcg).toEqual(expected);
  });

  it('doubles commas in paths, so that a path cannot add an option', () => {
    const list = qemuArguments({
      ...input,
      consoleSocket: '/run/a,server=off',
      transport: { kind: 'serial', socketPath: '/x,y' },
    });
    expect(list).toContain('socket,id=charconsole0,path=/run/a,,server=off,server=on,wait=off');
    expect(list).toContain('socket,id=charagent0,path=/x,,y,server=on,wait=off');
    expect(list).toContain('virtserialport,chardev=charagent0,id=agent0,name=io.kata-mock.agent');
  });
});
