import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Code } from '../code.ts';
import { TtrpcError } from '../errors.ts';
import { file_ttrpc_test_v1_echo } from '../gen/ttrpc/test/v1/echo_pb.ts';
import { Server } from '../server/server.ts';
import { command, started } from '../testing/command.ts';
import { tempFolder } from '../testing/temp.ts';

const ECHO = 'ttrpc.test.v1.Echo';
const agentProto = path.resolve(import.meta.dirname, '../../../contracts/proto/agent.proto');

async function serving(): Promise<string> {
  const address = `unix://${tempFolder()}/echo.sock`;
  const serve = started(['serve', address]);
  await serve.printed('serving');
  onTestFinished(async () => void (await serve.stop()));
  return address;
}

describe('call', () => {
  test('prints the reply of a unary call as JSON', async () => {
    const ran = await command(['call', await serving(), `${ECHO}/Unary`, '{"text": "hello"}']);
    expect(ran).toEqual({ code: 0, out: '{"text":"hello"}\n', err: '' });
  });

  test('prints each message of a server stream on a line', async () => {
    const ran = await command(['call', await serving(), `${ECHO}/ServerStream`, '{"text": "a b"}']);
    expect(ran.out).toBe('{"text":"a"}\n{"text":"b"}\n');
  });

  test('sends every object of standard input, however it comes in pieces', async () => {
    const pieces = ['{"te', 'xt": "a }"', '} ', '{"text":"b"}{"text"', ':"c"}\n'];
    const ran = await command(['call', await serving(), `${ECHO}/Bidi`, '-'], pieces);
    expect(ran.out).toBe('{"text":"a }"}\n{"text":"b"}\n{"text":"c"}\n');
  });

  test('reads requests from a file, and prints an empty reply whole', async () => {
    const file = path.join(tempFolder(), 'requests.json');
    writeFileSync(file, '{"text": "a"}, {"text": "b"}');
    const address = await serving();
    expect((await command(['call', address, `${ECHO}/ClientStream`, `@${file}`])).out).toBe('{"text":"a b"}\n');
    expect((await command(['call', address, `${ECHO}/Empty`])).out).toBe('{"text":""}\n');
  });

  test('exits 1 with code and message when the call fails', async () => {
    const address = await serving();
    const failed = await command(['call', address, `${ECHO}/Fail`, '{"text": "5"}']);
    expect(failed).toEqual({ code: 1, out: '', err: 'ttrpc: NOT_FOUND: failed with code 5, as asked\n' });
    const slow = await command(['call', address, `${ECHO}/Slow`, '{}', '--timeout', '20ms']);
    expect(slow).toMatchObject({ code: 1, err: 'ttrpc: DEADLINE_EXCEEDED: context deadline exceeded\n' });
  });

  test('exits 1 when nobody listens', async () => {
    const ran = await command(['call', `unix://${tempFolder()}/none.sock`, `${ECHO}/Unary`]);
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/^ttrpc: UNAVAILABLE: cannot connect to unix:.*none\.sock: .*ENOENT/);
  });

  test('sends metadata, and takes services from .proto files with their imports', async () => {
    const address = `unix://${tempFolder()}/agent.sock`;
    const seen: unknown[] = [];
    const server = new Server().fallback(({ service, method, payload, context }) => {
      seen.push(service, method, Buffer.from(payload).toString('hex'), [...context.metadata]);
      throw new TtrpcError(Code.ABORTED, 'seen');
    });
    await server.listen(address);
    onTestFinished(() => server.close());
    const ran = await command([
      ...['call', address, 'grpc.AgentService/CreateContainer', '-H', 'A: b', '--header=c=d', '--proto', agentProto],
      '{"containerId": "x", "OCI": {"Annotations": {"k": "v"}, "Linux": {"Resources": {"CPU": {"Quota": "-1"}}}}}',
    ]);
    expect(ran).toMatchObject({ code: 1, err: 'ttrpc: ABORTED: seen\n' });
    const oci = '3a06' + '0a016b120176' + '420f' + '220d' + '1a0b' + '10ffffffffffffffffff01';
    const payload = `0a0178${'32'}${(oci.length / 2).toString(16)}${oci}`;
    expect(seen).toEqual([
      'grpc.AgentService',
      'CreateContainer',
      payload,
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ]);
  });

  test('takes services from a descriptor set', async () => {
    const file = path.join(tempFolder(), 'echo.binpb');
    const set = create(FileDescriptorSetSchema, { file: [file_ttrpc_test_v1_echo.proto] });
    writeFileSync(file, toBinary(FileDescriptorSetSchema, set));
    const ran = await command(['call', await serving(), `${ECHO}/Unary`, '{"text":"x"}', '--descriptors', file]);
    expect(ran.out).toBe('{"text":"x"}\n');
  });

  const usage: { name: string; argv: string[]; stdin?: string[]; says: string }[] = [
    {
      name: 'an address nobody knows',
      argv: ['x', `${ECHO}/Unary`],
      says: 'address "x": unknown form',
    },
    {
      name: 'a method without a service',
      argv: ['unix:///x', 'Unary'],
      says: 'write a method as package.Service/Method',
    },
    { name: 'a service without a descriptor', argv: ['unix:///x', 'a.B/C'], says: 'known: ttrpc.test.v1.Echo' },
    { name: 'a method the service lacks', argv: ['unix:///x', `${ECHO}/Nope`], says: 'it has Unary, ServerStream' },
    { name: 'a wrong timeout', argv: ['unix:///x', `${ECHO}/Unary`, '-t', 'soon'], says: 'write it like 500ms' },
    { name: 'wrong metadata', argv: ['unix:///x', `${ECHO}/Unary`, '-H', 'x'], says: 'write it like "key: value"' },
    {
      name: 'a .proto file that is none',
      argv: ['unix:///x', 'a.B/C', '-p', import.meta.filename],
      says: 'illegal token',
    },
    { name: 'a descriptor set that is missing', argv: ['unix:///x', 'a.B/C', '-d', '/none'], says: 'ENOENT' },
    { name: 'no method at all', argv: ['unix:///x'], says: "missing required argument 'method'" },
  ];
  test.for(usage)('refuses $name', async ({ argv, says }) => {
    const ran = await command(['call', ...argv]);
    expect(ran.err).toContain(says);
    expect(ran.out).toBe('');
    expect(ran.code).toBe(2);
  });

  test.for([
    ['{"txt": 1}', 'key "txt" is unknown'],
    ['{"text": "a"', 'ends within a message'],
    ['hello', 'messages are JSON objects'],
    ['{} {}', 'takes one message'],
    ['@/none', 'ENOENT'],
  ] as const)('refuses the input %s', async ([input, says]) => {
    const ran = await command(['call', await serving(), `${ECHO}/Unary`, input]);
    expect(ran).toMatchObject({ code: 2, out: '' });
    expect(ran.err).toContain(says);
  });

  test('a wrong message in the middle of a stream names the message, not the cancellation', async () => {
    const ran = await command(['call', await serving(), `${ECHO}/Bidi`, '-'], ['{"text":"a"}', '{"x":1}']);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain('key "x" is unknown');
  });
});

test('a stop does not wait for the end of standard input', async () => {
  const address = await serving();
  for (const method of ['Unary', 'Bidi']) {
    const call = await new Promise<ReturnType<typeof started>>((resolve) => {
      const next = () => {
        resolve(running);
        return new Promise<never>(() => {});
      };
      const silent = { [Symbol.asyncIterator]: () => ({ next }) };
      const running = started(['call', address, `${ECHO}/${method}`, '-'], silent);
    });
    expect(await call.stop()).toEqual({ code: 1, out: '', err: 'ttrpc: CANCELED: context canceled\n' });
  }
});

test('trace passes a connection on and prints its frames, decoded', async () => {
  const to = await serving();
  const from = `unix://${tempFolder()}/traced.sock`;
  const trace = started(['trace', from, to]);
  await trace.printed('tracing');
  await command(['call', from, `${ECHO}/Unary`, '{"text": "hi"}', '-H', 'k: v']);
  await trace.printed('#1 closed');
  await command(['call', from, `${ECHO}/Fail`, '{"text": "5"}']);
  await trace.printed('#2 closed');
  const lines = (await trace.stop()).out.replaceAll(/ \d\.\d{6}/g, '').split('\n');
  expect(lines).toEqual([
    '#1 connected',
    '#1 -> stream 1 request 41 bytes ttrpc.test.v1.Echo/Unary k="v" {"text":"hi"}',
    '#1 <- stream 1 response 6 bytes OK {"text":"hi"}',
    '#1 closed',
    '#2 connected',
    '#2 -> stream 1 request 31 bytes ttrpc.test.v1.Echo/Fail {"text":"5"}',
    '#2 <- stream 1 response 34 bytes NOT_FOUND "failed with code 5, as asked"',
    '#2 closed',
    '',
  ]);
});

test('help shows an example and exits 0; completion knows every command', async () => {
  const help = await command(['--help']);
  expect(help).toMatchObject({ code: 0, err: '' });
  expect(help.out).toContain('ttrpc call unix:///tmp/echo.sock');
  expect((await command(['completion'])).out).toMatch(/call\) words=.*--timeout[\s\S]*serve\)[\s\S]*trace\)/);
});
