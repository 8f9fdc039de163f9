/** Kata's arguments for the smallest sandbox, with what this benchmark lacks taken out: KVM, vsock, virtiofsd. */
export function bareArguments(sandboxId: string, kernel: string): string[] {
  return [
    ...['-name', `sandbox-${sandboxId}`, '-machine', 'q35,accel=tcg', '-cpu', 'max'],
    ...['-qmp', 'unix:fd=3,server=on,wait=off', '-m', '512M,slots=10,maxmem=2048M'],
    '-device',
    'pci-bridge,bus=pcie.0,id=pci-bridge-0,chassis_nr=1,shpc=off,addr=2,io-reserve=4k,mem-reserve=1m,pref64-reserve=1m',
    ...['-device', 'virtio-serial-pci,disable-modern=false,id=serial0'],
    ...['-device', 'virtio-scsi-pci,id=scsi0,disable-modern=false'],
    ...['-object', 'rng-random,id=rng0,filename=/dev/urandom', '-device', 'virtio-rng-pci,rng=rng0'],
    ...['-rtc', 'base=utc,driftfix=slew,clock=host', '-global', 'kvm-pit.lost_tick_policy=discard'],
    ...['-vga', 'none', '-no-user-config', '-nodefaults', '-nographic', '--no-reboot'],
    ...['-object', 'memory-backend-file,id=dimm1,size=512M,mem-path=/dev/shm,share=on', '-numa', 'node,memdev=dimm1'],
    ...['-kernel', kernel, '-append', 'panic=1', '-smp', '1,cores=1,threads=1,sockets=2,maxcpus=2', '-S'],
  ];
}
