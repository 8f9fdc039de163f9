import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeHost } from '../testing/fake-host.ts';
import { checkHost } from './index.ts';

let host: FakeHost;
beforeEach(() => {
  host = new FakeHost('/no/such/programs');
  for (const [name, value] of Object.entries(host.environment)) vi.stubEnv(name, value);
});
afterEach(() => {
  vi.unstubAllEnvs();
  host.remove();
});

function program(name: string, body: string): void {
  writeFileSync(path.join(host.dir, name), `#!/bin/sh\n${body}\n`);
  chmodSync(path.join(host.dir, name), 0o755);
}

async function findings() {
  const all = await checkHost({ fresh: true });
  return Object.fromEntries(all.map((finding) => [finding.name, finding]));
}

describe('checkHost', () => {
  it('sees a QEMU with the device, one without, and one that does not run', async () => {
    const version = 'case $1 in --version) echo "QEMU emulator version 11.1.3 (Debian)";; -device)';
    program('qemu', `${version} echo 'name "vfio-user-pci", bus PCI';; *) exit 1;; esac`);
    expect((await findings())['QEMU']).toMatchObject({ result: 'ok', detail: expect.stringContaining('11.1.3') });
    program('qemu', `${version} echo 'name "vfio-pci", bus PCI';; *) exit 1;; esac`);
    expect((await findings())['QEMU']).toMatchObject({
      result: 'missing',
      detail: expect.stringContaining('has no vfio-user-pci'),
    });
    program('qemu', 'echo "cannot load libfoo" >&2; exit 127');
    expect((await findings())['QEMU']).toMatchObject({
      result: 'missing',
      detail: expect.stringContaining('cannot load libfoo'),
      mend: expect.stringContaining('make setup'),
    });
  });

  it('goes on when parts of the set-up are missing', async () => {
    rmSync(path.join(host.dir, 'root'));
    const seen = await findings();
    expect(seen['artefacts']).toMatchObject({ result: 'missing', detail: expect.stringContaining('no root image') });
    expect(seen['virtiofsd']).toMatchObject({ result: 'ok', detail: expect.stringContaining('virtiofsd 0') });
    expect(seen['KVM']?.result).toBe('slower');
  });

  it('believes no KVM that does not boot a kernel', async () => {
    program('qemu', 'exit 1');
    expect((await findings())['KVM']).toMatchObject({ result: 'slower', detail: expect.stringMatching(/KVM|kvm/) });
  });
});
