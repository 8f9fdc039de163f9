import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseSpec, SpecEditor, stringifySpec, validateSpec } from '@kata-mock/oci-spec';
import { expect, it } from 'vitest';
import { cdi } from '../../test-support/command.ts';
import { directory, spec } from '../../test-support/directories.ts';

/** Why this cannot be tried here, if it cannot. */
function obstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  if (spawnSync('runc', ['--version']).status !== 0) return 'needs runc';
  return existsSync('/dev/full') ? undefined : 'needs /dev/full';
}

const reason = obstacle();

/** A root file system of one shell with the libraries it needs. */
function fillRoot(root: string): void {
  const libraries = execFileSync('ldd', ['/bin/sh'], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
  for (const file of ['/bin/sh', ...libraries]) {
    mkdirSync(path.join(root, path.dirname(file)), { recursive: true });
    cpSync(file, path.join(root, file), { dereference: true });
  }
}

it.skipIf(reason)(
  `runc runs what cdi inject makes of runc spec, with the device openable${reason ? ` (${reason})` : ''}`,
  async () => {
    const bundle = directory();
    const specs = directory({
      'full.json': spec({
        full: {
          env: ['FULL=/dev/injected'],
          deviceNodes: [{ path: '/dev/injected', hostPath: '/dev/full', permissions: 'rw' }],
        },
        other: { deviceNodes: [{ path: '/dev/other', hostPath: '/dev/full', permissions: 'none' }] },
      }),
    });
    execFileSync('runc', ['spec', '--bundle', bundle]);
    fillRoot(path.join(bundle, 'rootfs'));
    const config = path.join(bundle, 'config.json');
    const { status, out, err } = await cdi(['-d', specs, 'inject', config, 'vendor.com/device=full']);
    expect([status, err]).toEqual([0, '']);

    const editor = new SpecEditor(parseSpec(out));
    editor.set(['process', 'terminal'], false);
    // Writing to this device says "No space left on device": that it opens and is the right one.
    const script = 'echo "$FULL"; echo x > "$FULL" && echo written; test -e /dev/other || echo "no other"';
    editor.set(['process', 'args'], ['/bin/sh', '-c', script]);
    validateSpec(editor.result());
    writeFileSync(config, stringifySpec(editor.result()));
    expect(readFileSync(config, 'utf8')).toContain('/dev/injected');
    const run = spawnSync('runc', ['run', '--bundle', bundle, `cdi-test-${process.pid}`], { encoding: 'utf8' });
    expect(run.stdout).toBe('/dev/injected\nno other\n');
    expect(run.stderr).toMatch(/No space left|I\/O error/);
  },
  30_000,
);
