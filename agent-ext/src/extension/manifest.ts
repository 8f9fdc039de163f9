/** Path of the manifest in an extension image. */
export const MANIFEST_PATH = 'etc/kata-extensions/components.toml';
/** Path of the launcher, from the root of the image. */
export const LAUNCHER_PATH = 'usr/bin/kata-mock-agent';

/** Socket on which the guest's own agent must listen, so that ours can stand in front of it. */
export const KATA_AGENT_SOCKET = 'unix:///run/kata-agent.sock';

/**
 * The manifest of the extension: one process, our agent as a proxy. The guest needs the kernel word
 * `agent.server_addr=unix:///run/kata-agent.sock`, or both agents want vsock port 1024.
 */
export function manifest(): string {
  const args = ['--listen', 'vsock://-1:1024', '--proxy-to', KATA_AGENT_SOCKET, '--base', '/run/kata-mock'];
  return [
    '# Kata guest extension: mock accelerators. Paths are relative to the root of this image.',
    'schema_version = 1',
    '',
    '[[process]]',
    'id    = "kata-mock-agent"',
    'level = 1',
    `path  = ${JSON.stringify(LAUNCHER_PATH)}`,
    `args  = ${JSON.stringify(args)}`,
    '',
  ].join('\n');
}

/** Starts the agent with the Node and the libraries of the image, after the driver. Any POSIX shell will do. */
export const LAUNCHER = `#!/bin/sh
root=\${0%/${LAUNCHER_PATH}}
lib=$root/usr/lib/kata-mock
module=$root/usr/lib/modules/mock-accel.ko
if [ -e "$module" ] && [ ! -d /sys/module/mock_accel ]; then
	# The driver asks for its word list while it is loaded.
	echo "$root/usr/lib/firmware" >/sys/module/firmware_class/parameters/path 2>/dev/null
	insmod "$module" || echo "kata-mock: the driver was not loaded: does it fit this kernel?" >&2
fi
exec "$lib/lib/ld-linux-x86-64.so.2" --library-path "$lib/lib" "$lib/node" --max-semi-space-size=1 --max-old-space-size=128 \\
	"$lib/agent/main.js" "$@"
`;
