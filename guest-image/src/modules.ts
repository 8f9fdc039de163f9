/** Kernel modules of the guest, with what needs each; everything else the guest uses is built into Debian's kernel. */
export const guestModules = [
  // storage and container roots
  ...['virtio_blk', 'erofs', 'overlay', 'loop'],
  // agent transport and the device inventory
  ...['vsock', 'vmw_vsock_virtio_transport', 'qemu_fw_cfg'],
  // vsock to itself, for tests of that address family
  'vsock_loopback',
  // what Kata may plug
  ...['virtio_net', 'virtio_balloon', 'virtio_mem', 'virtio_pmem', 'vfio_pci'],
  // disks by SCSI address, and containers that drive a function themselves
  ...['virtio_scsi', 'sd_mod', 'vfio_iommu_type1'],
  // networks of a pod and the iptables calls of the agent
  ...['veth', 'nf_tables', 'nft_compat', 'nft_chain_nat', 'nf_conntrack', 'xt_conntrack', 'xt_comment', 'xt_tcpudp'],
  ...['xt_MASQUERADE', 'xt_REDIRECT', 'xt_mark', 'xt_multiport'],
  // error injection in tests
  'aer_inject',
];

/** Modules the initrd loads to reach the root image, in this order after their dependencies. */
export const initrdModules = ['virtio_blk', 'erofs'];

/** Names are compared as the kernel does: hyphen and underscore are the same. */
export function moduleName(file: string): string {
  const base = file.slice(file.lastIndexOf('/') + 1);
  return base.replace(/\.ko(\.\w+)?$/, '').replaceAll('-', '_');
}

/**
 * Files of the named modules and all they depend on, dependencies first.
 *
 * @param modulesDep text of modules.dep: `file: dependency dependency…`, paths relative to the module folder
 * @param names modules wanted; one that modules.dep does not have is left out of `files` and listed in `absent`
 */
export function moduleClosure(modulesDep: string, names: readonly string[]): { files: string[]; absent: string[] } {
  const byName = new Map<string, { file: string; needs: string[] }>();
  for (const line of modulesDep.split('\n')) {
    const [file, needs = ''] = line.split(':');
    if (file) byName.set(moduleName(file), { file, needs: needs.split(' ').filter(Boolean) });
  }
  const files = new Set<string>();
  const absent: string[] = [];
  for (const name of names) {
    const entry = byName.get(moduleName(name));
    if (!entry) {
      absent.push(name);
      continue;
    }
    // modules.dep lists the closure with the deepest last.
    for (const need of entry.needs.toReversed()) files.add(need);
    files.add(entry.file);
  }
  return { files: [...files], absent };
}
