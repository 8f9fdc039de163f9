/** Two devices that differ in everything: what most scenarios plug. */
export const first = {
  uuid: '11111111-2222-4333-8444-555555555555',
  host: '0000:1a:00.0',
  memory: 16n << 30n,
  node: 0,
};
export const second = {
  uuid: 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee',
  host: '0000:3b:00.0',
  memory: 2n << 30n,
  node: 1,
};

/** `--device` options for them. */
export const bothDevices = [first, second].flatMap(({ uuid, host, memory, node }) => [
  '--device',
  `mock-accel,uuid=${uuid},memory=${memory},numa=${node},host=${host}`,
]);

/** For a sandbox without any, which the hook leaves to QEMU as it is. */
export const noDevices = ['--annotation', 'io.kata-mock/devices=none'];

/** `--annotation` that asks for CDI devices by name. */
export const cdi = (...names: string[]) => [
  '--annotation',
  `cdi.k8s.io/test=${names.map((name) => `kata-mock.dev/accel=${name}`).join(',')}`,
];

/** What reading a device node prints, by the text before the colon; the first line stands under ''. */
export function readDevice(text: string): Record<string, string> {
  const entries = text
    .trim()
    .split('\n')
    .map((line) => /^([^:]*): (.*)$/.exec(line)?.slice(1) ?? ['', line]);
  return Object.fromEntries(entries) as Record<string, string>;
}

/** `kata-mock inspect --output json`: the fields tests use. */
export interface Inspection {
  name: string;
  devices: {
    index: number;
    uuid: string;
    hostAddress: string;
    guestAddress: string;
    numaNode: number;
    guestNode: string;
    containerPath: string;
    registers: { name: string; value: string }[];
  }[];
}
