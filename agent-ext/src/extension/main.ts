/** `npm run extension -w agent-ext -- --agent DIR [--node FILE] [--module FILE] [--word-list FILE] IMAGE` */
import { parseArgs } from 'node:util';
import { buildExtension } from './build.ts';

const HELP = `usage: extension --agent DIR [--node FILE] [--module FILE] [--word-list FILE] [--mkfs PROGRAM] IMAGE

Builds a Kata 4.x guest extension with the mock-accel driver and our agent as a proxy before kata-agent.

  --agent DIR       the bundled agent, dist/agent
  --node FILE       Node in one piece, as from nodejs.org; default: the one that runs this
  --module FILE     mock-accel.ko built against the guest's headers: make -C kernel-driver KDIR=HEADERS
  --word-list FILE  the driver's word list
  --mkfs PROGRAM    default mkfs.erofs

Configure it as [[hypervisor.qemu.guest_extension_images]] name = "kata-mock", path = IMAGE, verity_params = "", and add
agent.server_addr=unix:///run/kata-agent.sock to kernel_params.

example: extension --agent dist/agent --module mock-accel.ko kata-mock.img
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean' },
    node: { type: 'string', default: process.execPath },
    agent: { type: 'string' },
    module: { type: 'string' },
    'word-list': { type: 'string' },
    mkfs: { type: 'string', default: 'mkfs.erofs' },
  },
});
const [image] = positionals;
if (values.help) {
  process.stdout.write(HELP);
} else if (!image || !values.agent) {
  process.stderr.write(`extension: --agent and an image file are needed\n\n${HELP}`);
  process.exitCode = 2;
} else {
  try {
    const { module, 'word-list': wordList } = values;
    const optional = { ...(module ? { module } : {}), ...(wordList ? { wordList } : {}) };
    buildExtension({ node: values.node, agent: values.agent, mkfs: [values.mkfs], ...optional }, image);
  } catch (error) {
    process.stderr.write(`extension: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
