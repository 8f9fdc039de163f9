import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Spec } from '@kata-mock/oci-spec';
import { debianProgram } from './debian-program.ts';

/** An OCI bundle as `runc spec` writes it, on a given root, then changed. */
export function runcBundle(rootfs: string, change: (spec: Spec) => void): { path: string; remove(): void } {
  const bundle = mkdtempSync(path.join(tmpdir(), 'kata-mock-bundle-'));
  execFileSync(debianProgram('runc', 'runc'), ['spec', '--bundle', bundle]);
  const file = path.join(bundle, 'config.json');
  const spec = JSON.parse(readFileSync(file, 'utf8')) as Spec;
  cpSync(rootfs, path.join(bundle, 'rootfs'), { recursive: true, verbatimSymlinks: true });
  change(spec);
  writeFileSync(file, JSON.stringify(spec, null, 2));
  return { path: bundle, remove: () => rmSync(bundle, { recursive: true, force: true }) };
}
