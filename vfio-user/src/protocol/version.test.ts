import { describe, expect, test } from 'vitest';
import { errnoOf } from '../testing.ts';
import { decodeVersion, encodeVersion, payloadOf } from './index.ts';

const withText = (text: string) => Buffer.concat([Buffer.from([0, 0, 1, 0]), Buffer.from(text)]);
const withCapabilities = (capabilities: unknown) => withText(`${JSON.stringify({ capabilities })}\0`);

describe('good', () => {
  test.each([
    ['no text at all', Buffer.from([0, 0, 1, 0]), undefined],
    ['an empty object', withText('{}\0'), {}],
    ['unknown keys', withText('{"capabilities":{"later":1,"max_msg_fds":3},"other":[]}\0'), { max_msg_fds: 3 }],
    ['1024 descriptors', withCapabilities({ max_msg_fds: 1024 }), { max_msg_fds: 1024 }],
    [
      'page sizes of 64 bits',
      withText('{"capabilities":{"pgsizes":18446744073709547520}}\0'),
      { pgsizes: 2 ** 64 - 4096 },
    ],
    ['all page sizes', withText('{"capabilities":{"pgsizes":18446744073709551615}}\0'), { pgsizes: 2 ** 64 }],
    ['no migration page', withCapabilities({ migration: { pgsize: 0 } }), { migration: { pgsize: 0 } }],
    ['a migration page', withCapabilities({ migration: { pgsize: 4096 } }), { migration: { pgsize: 4096 } }],
  ])('%s', (_, bytes, capabilities) => {
    expect(decodeVersion(payloadOf(bytes))).toEqual({
      major: 0,
      minor: 1,
      ...(capabilities === undefined ? {} : { capabilities }),
    });
  });

  test('what is encoded decodes to the same', () => {
    const version = {
      major: 0,
      minor: 2,
      capabilities: { max_msg_fds: 8, twin_socket: { supported: true, fd_index: 0 } },
    };
    expect(decodeVersion(payloadOf(encodeVersion(version)))).toEqual(version);
  });
});

describe('bad', () => {
  test.each([
    ['three bytes', Buffer.from([0, 0, 1])],
    ['text without NUL', withText('{}')],
    ['an open brace', withText('{\0')],
    ['a lone quote', withText('"\0')],
    ['bytes that are no UTF-8', Buffer.concat([withText('{"a":"'), Buffer.from([0xff, 0x22, 0x7d, 0])])],
    ['a second NUL inside', withText('{}\0{}\0')],
    ['a list at the top', withText('[]\0')],
    ['capabilities that are a number', withText('{"capabilities":1}\0')],
    ['max_msg_fds as text', withCapabilities({ max_msg_fds: '8' })],
    ['max_msg_fds of -1', withCapabilities({ max_msg_fds: -1 })],
    ['max_msg_fds of 1025', withCapabilities({ max_msg_fds: 1025 })],
    ['max_data_xfer_size as text', withCapabilities({ max_data_xfer_size: 'much' })],
    ['migration that is a list', withCapabilities({ migration: [] })],
    ['migration.pgsize as text', withCapabilities({ migration: { pgsize: '4096' } })],
    ['migration.pgsize of 4095', withCapabilities({ migration: { pgsize: 4095 } })],
    ['pgsizes of 2^65', withText('{"capabilities":{"pgsizes":36893488147419103232}}\0')],
    ['pgsizes of -1', withCapabilities({ pgsizes: -1 })],
    ['twin_socket that is a number', withCapabilities({ twin_socket: 1 })],
    ['twin_socket.supported as a number', withCapabilities({ twin_socket: { supported: 1 } })],
    ['write_multiple as text', withCapabilities({ write_multiple: 'yes' })],
  ])('%s is EINVAL', (_, bytes) => {
    expect(errnoOf(() => decodeVersion(payloadOf(bytes)))).toBe(22);
  });
});
