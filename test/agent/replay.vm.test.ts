import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { AgentService, Health } from '@kata-mock/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AgentGuest, SHARED } from '../support/agent-guest.ts';
import { artefacts } from '../support/artefacts.ts';

interface Recorded {
  method: string;
  request: JsonValue;
}

/** Calls that end with the process or never: a shim does not wait for them before it goes on. */
const BLOCKING = new Set(['WaitProcess', 'ReadStdout', 'ReadStderr', 'GetOOMEvent']);
/** What the test changes in the recording, which was normalised: a command that lives until it is killed. */
const SUBSTITUTIONS = [['"x"', '"trap \\"exit 0\\" TERM; echo up; while :; do sleep 1 & wait $!; done"']] as const;

const recording = readFileSync(new URL('../fixtures/kata-3.21-cri-pod.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => {
    const text = SUBSTITUTIONS.reduce((result, [from, to]) => result.replace(from, to), line);
    return JSON.parse(text) as Recorded;
  });

let guest: AgentGuest;
beforeAll(async () => {
  guest = await AgentGuest.boot();
  makeSharedFiles(guest.share);
});
afterAll(() => guest?.stop());

/** Everything below the shared directory that the recorded containers use. */
function makeSharedFiles(share: string): void {
  const sources = JSON.stringify(recording).matchAll(new RegExp(`"${SHARED}/([^"]+)"`, 'g'));
  for (const [, name = ''] of sources) {
    const target = path.join(share, name);
    if (name.endsWith('/rootfs')) cpSync(artefacts().rootfs, target, { recursive: true, verbatimSymlinks: true });
    else if (name.endsWith('-cfgdir')) mkdirSync(target, { recursive: true });
    else if (/-(resolv\.conf|hostname|hosts|file)$/.test(name)) writeFileSync(target, '');
  }
}

describe('a pod recorded from a Kata 3.21 shim', () => {
  test('is replayed call by call, with real containers, and no call fails', async () => {
    const pending: Promise<void>[] = [];
    const failures: string[] = [];
    const statuses: [string, number][] = [];
    const outputs = new Map<string, string>();
    for (const { method, request } of recording) {
      const call = send(method, request).then(
        (reply) => note(method, request, reply, statuses, outputs),
        (error: Error) => {
          // The end of a stream is an error by contract, and the agent goes with the sandbox.
          const isExpected = error.message === 'read meet eof' || method === 'GetOOMEvent';
          if (!isExpected) failures.push(`${method}: ${error.message}`);
        },
      );
      if (BLOCKING.has(method)) pending.push(call);
      else await call;
    }
    await Promise.all(pending);
    expect(failures).toEqual([]);
    // exec `id`, the container by TERM, the same asked twice more, the pause container by KILL.
    expect(statuses.map(([, status]) => status)).toEqual(expect.arrayContaining([0, 137]));
    expect([...outputs.values()].join('')).toContain('uid=1000');
    expect(await guest.poweredOff(30_000)).toBe(true);
  });
});

function note(
  method: string,
  request: JsonValue,
  reply: object,
  statuses: [string, number][],
  outputs: Map<string, string>,
): void {
  const { containerId = '', execId = '' } = request as { containerId?: string; execId?: string };
  if ('status' in reply && method === 'WaitProcess') statuses.push([containerId, reply.status as number]);
  if ('data' in reply) {
    const key = `${containerId} ${execId}`;
    outputs.set(key, (outputs.get(key) ?? '') + Buffer.from(reply.data as Uint8Array).toString());
  }
}

async function send(method: string, request: JsonValue): Promise<object> {
  const isHealth = method === 'Check';
  const service = isHealth ? Health : AgentService;
  const descriptor = service.methods.find(({ name }) => name === method);
  if (!descriptor) throw new Error(`the recording has an unknown method ${method}`);
  const client = (isHealth ? guest.health : guest.agent) as unknown as Record<
    string,
    (message: object) => Promise<object>
  >;
  const message = fromJson(descriptor.input, request) as object;
  return (client[descriptor.localName] as (message: object) => Promise<object>)(message);
}
