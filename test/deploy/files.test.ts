import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse as parseToml } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { debianProgram } from '../support/debian-program.ts';
import { root } from '../support/paths.ts';

const file = (name: string) => path.join(root, 'deploy', name);
const text = (name: string) => readFileSync(file(name), 'utf8');

/** kubectl's own reading of a file, without a cluster: what it prints back after adding an annotation. */
function throughKubectl(name: string): Record<string, unknown> {
  const kubectl = debianProgram('kubernetes-client', 'kubectl');
  const args = ['annotate', '--local', '--filename', file(name), 'checked=yes', '--output', 'json'];
  const output = execFileSync(kubectl, args, { encoding: 'utf8', env: { ...process.env, KUBECONFIG: '/dev/null' } });
  const object = JSON.parse(output) as { metadata: { annotations: Record<string, string> } };
  expect(object.metadata.annotations['checked']).toBe('yes');
  return object as unknown as Record<string, unknown>;
}

describe('the RuntimeClass', () => {
  it('is read by kubectl and names the handler of the runtimes’ drop-ins', () => {
    const object = throughKubectl('kubernetes/runtimeclass.yaml');
    expect(object).toMatchObject({ apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', handler: 'kata-mock' });
    expect(Object.keys(object).sort()).toEqual(['apiVersion', 'handler', 'kind', 'metadata', 'overhead', 'scheduling']);
    const { podFixed } = object['overhead'] as { podFixed: Record<string, string> };
    for (const quantity of Object.values(podFixed)) expect(quantity).toMatch(/^\d+(m|Mi)?$/);
  });
});

describe('the example pod', () => {
  it('is read by kubectl and uses the RuntimeClass', () => {
    expect(throughKubectl('kubernetes/pod.yaml')).toMatchObject({
      kind: 'Pod',
      spec: { runtimeClassName: 'kata-mock' },
    });
  });

  it('is the one the documentation shows', () => {
    const page = readFileSync(path.join(root, 'docs/kubernetes.md'), 'utf8');
    const shown = parseYaml(/```yaml\n(metadata:.*?)```/s.exec(page)![1]!) as object;
    expect(parseYaml(text('kubernetes/pod.yaml'))).toMatchObject(shown);
  });

  it('asks for devices in the hook’s own words', () => {
    const pod = parseYaml(text('kubernetes/pod.yaml')) as { metadata: { annotations: Record<string, string> } };
    const devices = pod.metadata.annotations['io.kata-mock/devices']!;
    const plan = execFileSync(
      path.join(root, 'bin/kata-mock'),
      ['run', '--dry-run', '--output', 'json', '--annotation', `io.kata-mock/devices=${devices}`],
      { encoding: 'utf8' },
    );
    const planned = JSON.stringify(JSON.parse(plan));
    expect(planned).toContain('/dev/mock0');
    expect(planned).toContain('/dev/mock1');
  });
});

describe('the Kata drop-in', () => {
  it('names the hook, an initrd and no image', () => {
    const { hypervisor } = parseToml(text('kata/10-kata-mock.toml')) as {
      hypervisor: { qemu: Record<string, unknown> };
    };
    expect(hypervisor.qemu).toMatchObject({
      path: '/opt/kata-mock/bin/kata-mock-qemu',
      kernel: '/opt/kata-mock/share/vmlinux',
      initrd: '/opt/kata-mock/share/initrd',
      image: '',
    });
  });
});

describe('the CRI-O drop-in', () => {
  it('names the shim and the same Kata configuration as containerd’s', () => {
    const { crio } = parseToml(text('crio/99-kata-mock.conf')) as {
      crio: { runtime: { runtimes: Record<string, Record<string, unknown>> } };
    };
    expect(crio.runtime.runtimes['kata-mock']).toEqual({
      runtime_type: 'vm',
      runtime_path: '/opt/kata/bin/containerd-shim-kata-v2',
      runtime_root: '/run/vc',
      runtime_config_path: '/etc/kata-containers/kata-mock/configuration.toml',
      privileged_without_host_devices: true,
    });
  });
});
