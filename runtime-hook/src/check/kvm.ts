/**
 * Whether KVM works here. /dev/kvm may exist, vCPUs may be created, and the guest kernel may still stop with an
 * emulation failure while QEMU hangs, so the only answer that counts is a kernel that really booted.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Artefacts } from '../artefacts/artefacts.ts';
import { diesWithParent } from '../vm/process/pdeathsig.ts';
import { privateDirectory, runDirectory } from '../vm/sandbox/run-directory.ts';

export interface KvmProbe {
  works: boolean;
  /** Why not, or what was seen. */
  reason: string;
  /** The answer was remembered from an earlier probe of this boot. */
  remembered: boolean;
}

/** A kernel without a root gets there in about 1 s on KVM. */
const bootDeadlineMs = 10_000;
/** The kernel's last words when it finds no root: it booted. */
const bootedPattern = /Unable to mount root fs|Kernel panic - not syncing/;

/** Boots the guest's kernel with nothing else, once a host boot; the answer is kept in the run directory. */
export async function probeKvm(artefacts: Artefacts, options: { fresh?: boolean } = {}): Promise<KvmProbe> {
  const missing = kvmMissing();
  if (missing !== undefined) return { works: false, reason: missing, remembered: false };
  const file = path.join(runDirectory(), 'kvm-probe.json');
  const key = probeKey(artefacts);
  const known = options.fresh ? undefined : recall(file, key);
  if (known) return { ...known, remembered: true };
  const answer = await bootKernel(artefacts);
  remember(file, key, answer);
  return { ...answer, remembered: false };
}

function kvmMissing(): string | undefined {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return `/dev/kvm cannot be opened: ${(error as NodeJS.ErrnoException).code}`;
  }
}

function bootKernel(artefacts: Artefacts): Promise<{ works: boolean; reason: string }> {
  const { command, args } = diesWithParent(artefacts.qemu.path, [
    ...['-machine', 'q35', '-accel', 'kvm', '-cpu', 'host', '-m', '256M', '-no-user-config', '-nodefaults'],
    ...['-nographic', '-no-reboot', '-serial', 'stdio', '-kernel', artefacts.kernel],
    ...['-append', 'console=ttyS0 panic=-1 reboot=t'],
  ]);
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let said = '';
    const finish = (works: boolean, reason: string) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      resolve({ works, reason });
    };
    const listen = (chunk: Buffer) => {
      said = (said + chunk.toString('latin1')).slice(-16_384);
      if (bootedPattern.test(said)) finish(true, `a kernel booted in ${Math.round(performance.now() - started)} ms`);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.once('error', (error) => finish(false, `QEMU cannot be started: ${error.message}`));
    child.once('exit', () => finish(false, `QEMU with KVM ended at once: ${lastLine(said)}`));
    const late = `/dev/kvm is there, but a kernel did not boot within ${bootDeadlineMs / 1000} s`;
    const timer = setTimeout(() => finish(false, late), bootDeadlineMs);
  });
}

function lastLine(text: string): string {
  return text.trim().split(/\r?\n/).at(-1) || 'it printed nothing';
}

/** A reboot of the host, another QEMU or another kernel may change the answer. */
function probeKey({ qemu, hashes }: Artefacts): string {
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return [bootId, qemu.path, qemu.version, hashes['kernel'] ?? ''].join(' ');
}

function recall(file: string, key: string): { works: boolean; reason: string } | undefined {
  try {
    const kept = JSON.parse(readFileSync(file, 'utf8')) as { key: string; works: boolean; reason: string };
    return kept.key === key ? { works: kept.works === true, reason: String(kept.reason) } : undefined;
  } catch {
    return undefined;
  }
}

function remember(file: string, key: string, answer: { works: boolean; reason: string }): void {
  privateDirectory(path.dirname(file));
  const scratch = `${file}.${process.pid}`;
  writeFileSync(scratch, JSON.stringify({ key, ...answer }), { mode: 0o600 });
  renameSync(scratch, file);
}
