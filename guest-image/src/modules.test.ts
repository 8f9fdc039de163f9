import { describe, expect, it } from 'vitest';
import { guestModules, initrdModules, moduleClosure, moduleName } from './modules.ts';

const dep = `kernel/fs/erofs/erofs.ko.xz: kernel/fs/netfs/netfs.ko.xz kernel/lib/libcrc32c.ko.xz
kernel/lib/libcrc32c.ko.xz:
kernel/fs/netfs/netfs.ko.xz:
kernel/drivers/vfio/pci/vfio-pci.ko.xz: kernel/drivers/vfio/pci/vfio-pci-core.ko.xz kernel/drivers/vfio/vfio.ko.xz
kernel/drivers/vfio/pci/vfio-pci-core.ko.xz: kernel/drivers/vfio/vfio.ko.xz
kernel/drivers/vfio/vfio.ko.xz:
`;

describe('moduleClosure', () => {
  it('puts what a module needs before it, the deepest first', () => {
    expect(moduleClosure(dep, ['erofs', 'vfio_pci']).files.map(moduleName)).toEqual([
      'libcrc32c',
      'netfs',
      'erofs',
      'vfio',
      'vfio_pci_core',
      'vfio_pci',
    ]);
  });

  it('lists a module once, however many need it', () => {
    expect(moduleClosure(dep, ['vfio', 'vfio-pci', 'vfio_pci']).files).toHaveLength(3);
  });

  it('names the modules that do not exist', () => {
    expect(moduleClosure(dep, ['erofs', 'warp_drive']).absent).toEqual(['warp_drive']);
  });
});

it('has every module of the initrd in the guest too', () => {
  expect(guestModules).toEqual(expect.arrayContaining(initrdModules));
});

it.each([
  ['kernel/fs/erofs/erofs.ko.xz', 'erofs'],
  ['vfio-pci.ko', 'vfio_pci'],
  ['a/b-c.ko.zst', 'b_c'],
  ['virtio_blk', 'virtio_blk'],
])('%s is module %s', (file, name) => {
  expect(moduleName(file)).toBe(name);
});
