import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { directory, put, spec } from '../../test-support/directories.ts';
import type { CdiSpec } from '../types.ts';
import { loadSchema, validateCdiSchema } from './schema.ts';

const bad = (more: object) => ({ ...spec(['d']), ...more }) as CdiSpec;

describe('the built-in schema', () => {
  it('takes unknown members and 64-bit numbers, as a schema does', () => {
    expect(() => validateCdiSchema(bad({ more: 1 }))).not.toThrow();
    expect(() => validateCdiSchema(spec({ d: { deviceNodes: [{ path: '/d', major: 2n ** 60n }] } }))).not.toThrow();
  });

  it.each<[string, CdiSpec, string]>([
    ['a missing kind', bad({ kind: undefined }), "must have required property 'kind'"],
    ['no devices', bad({ devices: [] }), 'must NOT have fewer than 1 items'],
    ['a bad kind', bad({ kind: 'gpu' }), 'must match pattern'],
    ['a bad variable, which the reference does not look at', spec({ d: { env: ['A'] } }), 'must match pattern'],
    [
      'a mode beyond 32 bits',
      spec({ d: { deviceNodes: [{ path: '/d', fileMode: 2 ** 32 }] } }),
      'from 0 to 4294967295',
    ],
    ['an empty path', spec({ d: { deviceNodes: [{ path: '' }] } }), 'must NOT have fewer than 1 characters'],
    [
      'an unknown hook',
      spec({ d: { hooks: [{ hookName: 'x' as 'prestart', path: '/x' }] } }),
      'must be equal to one of',
    ],
  ])('refuses %s', (_, content, reason) => {
    expect(() => validateCdiSchema(content)).toThrow(reason);
  });
});

describe('a schema from elsewhere', () => {
  /** Serves these texts by path, and tells the address. */
  async function serve(texts: Record<string, string>): Promise<string> {
    const server = createServer((request, response) => {
      const text = texts[request.url ?? ''];
      response.writeHead(text === undefined ? 404 : 200).end(text);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('may come by HTTP, with what it refers to', async () => {
    const address = await serve({
      '/schema.json': '{"properties":{"kind":{"$ref":"defs.json#/definitions/kind"}}}',
      '/defs.json': '{"definitions":{"kind":{"const":"vendor.com/device"}}}',
    });
    const check = await loadSchema(`${address}/schema.json`);
    expect(() => check?.(spec(['d']))).not.toThrow();
    expect(() => check?.(bad({ kind: 'v/c' }))).toThrow('schema: must be equal to constant');
  });

  it('must not have local files read when it comes by HTTP', async () => {
    const secret = put(directory(), 'secret.json', '{}');
    const address = await serve({ '/schema.json': `{"$ref":"file://${secret}"}` });
    await expect(loadSchema(`${address}/schema.json`)).rejects.toThrow('not allowed');
  });

  it.each(['none', ''])('is no check at all when called %j', async (source) => {
    expect(await loadSchema(source)).toBeUndefined();
  });

  it('is refused when it is missing, no JSON or no schema', async () => {
    const address = await serve({});
    await expect(loadSchema(`${address}/schema.json`)).rejects.toThrow('HTTP status 404');
    await expect(loadSchema('/nowhere.json')).rejects.toThrow('cannot load schema file:///nowhere.json: ENOENT');
    const dir = directory({ 'a.json': '{', 'b.json': '{"type":"nonsense"}', 'c.json': '1' });
    for (const name of ['a', 'b', 'c']) await expect(loadSchema(`${dir}/${name}.json`)).rejects.toThrow('schema');
  });
});
