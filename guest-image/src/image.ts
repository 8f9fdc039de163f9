import { recordArtefacts } from './artefacts.ts';
import { provideBase } from './base.ts';
import { provideContainerRoot } from './container-root.ts';
import { provideDriver } from './driver.ts';
import { provideInitrd } from './initrd.ts';
import { type Kernel, provideKernel } from './kernel.ts';
import type { Progress } from './progress.ts';
import { provideQemu } from './qemu.ts';
import { provideRootImage } from './root-image.ts';
import { linkShell, provideShell } from './shell.ts';
import { provideSnapshot } from './snapshot.ts';
import type { Store } from './store.ts';
import { provideToolchain, type Toolchain } from './toolchain.ts';
import { provideWordList } from './word-list.ts';

/** QEMU and virtiofsd. */
export async function makeQemu(store: Store, { step, line }: Progress): Promise<void> {
  const emulator = await step('QEMU with vfio-user-pci', () => provideQemu(store));
  const { qemu, virtiofsd, hash } = emulator;
  line(`QEMU ${qemu.version} (${qemu.source === 'host' ? "the host's own" : 'private copy'})`);
  await recordArtefacts(store.root, { qemu, virtiofsd, hashes: { ...(hash && { qemu: hash }) } });
  if (hash) await store.prune('qemu', [hash]);
}

/** Kernel and toolchain. */
export async function makeKernel(store: Store, { step }: Progress): Promise<{ toolchain: Toolchain; kernel: Kernel }> {
  const toolchain = await step('kernel, headers and compiler', () => provideToolchain(store));
  const kernel = await step('guest kernel and modules', () => provideKernel(store, toolchain));
  await recordArtefacts(store.root, {
    kernel: kernel.vmlinux,
    kernelRelease: kernel.release,
    toolchain: toolchain.root,
    hashes: { toolchain: toolchain.hash, kernel: kernel.hash },
  });
  await store.prune('toolchain', [toolchain.hash]);
  await store.prune('kernel', [kernel.hash]);
  return { toolchain, kernel };
}

/** Folders outside this one that go into the image. */
export interface ImageSources {
  /** Source of the kernel module. */
  driver: string;
  /** The bundled agent. */
  agent: string;
}

/** Module, initrds, root image and container root. */
export async function makeImage(store: Store, progress: Progress, sources: ImageSources): Promise<void> {
  const { toolchain, kernel } = await makeKernel(store, progress);
  const { step } = progress;
  const driver = await step('module mock-accel', () => provideDriver(store, toolchain, sources.driver));
  const base = await step('Debian part of the guest', () => provideBase(store));
  const wordList = await step('word list', () => provideWordList(store));
  const initrd = await step('initrd', () => provideInitrd(store, kernel, base.busybox));
  const shell = await step('initrd with a shell', () => provideShell(store, base.busybox));
  const containerRoot = await step('container root', () => provideContainerRoot(store, base.busybox));
  const snapshot = await step("the agent's snapshot", () => provideSnapshot(store, base, sources.agent));
  const root = await step('root image', () =>
    provideRootImage(store, { base, kernel, driver, toolchain, wordList, agent: sources.agent, snapshot }),
  );
  const hashes = {
    driver: driver.hash,
    base: base.hash,
    words: wordList.hash,
    initrd: initrd.hash,
    'shell-initrd': shell.hash,
    rootfs: containerRoot.hash,
    ...(snapshot && { snapshot: snapshot.hash }),
    root: root.hash,
  };
  const { qemu } = await recordArtefacts(store.root, {
    initrd: initrd.file,
    rootImage: root.file,
    rootfs: containerRoot.path,
    hashes,
  });
  await linkShell(store.root, {
    'qemu-system-x86_64': qemu?.path,
    vmlinux: kernel.vmlinux,
    'initrd.img': shell.file,
  });
  for (const [kind, hash] of Object.entries(hashes)) await store.prune(kind, [hash]);
}
