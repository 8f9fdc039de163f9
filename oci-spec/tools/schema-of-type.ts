import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv, type Options } from 'ajv';
import standaloneCode from 'ajv/dist/standalone/index.js';
import * as TJS from 'typescript-json-schema';
import { addIntegerKeywords, integerKeywords } from './integer-keywords.ts';
import { itemTags, plain, type Schema } from './plain-schema.ts';

export interface SchemaRequest {
  /** Its files are the ones searched for the type; typescript-json-schema needs a configuration of its own. */
  tsconfig: string;
  type: string;
  /** `$id` of the schema. */
  id: string;
  title: string;
  /** Folder for `<name>.schema.json` and `validate-<name>.ts`. */
  out: string;
  name: string;
}

/**
 * Writes the JSON schema of a TypeScript type, and the validator that ajv compiles from it: compiled ahead of time, a
 * program that validates carries neither ajv nor the time to compile.
 */
export function generateSchema({ tsconfig, type, id, title, out, name }: SchemaRequest): void {
  const raw = TJS.generateSchema(TJS.programFromConfig(tsconfig), type, {
    ref: true,
    aliasRef: true,
    required: true,
    validationKeywords: [...integerKeywords, ...itemTags],
  });
  if (!raw) throw new Error(`typescript-json-schema made no schema of ${type}`);
  const head = { $schema: 'http://json-schema.org/draft-07/schema#', $id: id, title };
  const schema = { ...head, ...plain(raw as Schema, integerKeywords) };
  // In a list typescript-json-schema sees `number` where the type says Uint32: such a list needs an @itemsRef tag.
  if (JSON.stringify(schema).includes('"type":"number"')) throw new Error(`a number of ${type} has no integer keyword`);
  mkdirSync(out, { recursive: true });
  writeFileSync(path.join(out, `${name}.schema.json`), `${JSON.stringify(schema, null, 2)}\n`);
  writeFileSync(path.join(out, `validate-${name}.ts`), validatorCode(schema));
}

function validatorCode(schema: object): string {
  // One function a type instead of a copy at every use: a fifth of the size.
  const options: Options = { code: { source: true, esm: true }, strict: true, inlineRefs: false };
  const ajv = addIntegerKeywords(new Ajv(options));
  const generate = standaloneCode as unknown as typeof standaloneCode.default;
  const code = generate(ajv, ajv.compile(withoutDescriptions(schema)))
    .replace('"use strict";', '')
    .replace(/export default \w+;/, '')
    .replaceAll(LENGTH_IMPORT, 'const $1 = (text) => [...text].length');
  if (code.includes('require(')) throw new Error('the validator needs ajv at run time');
  return `// Generated from the types by tools/generate-schema.ts. Do not edit.\n// @ts-nocheck\n${code}\n`;
}

/** The one helper that ajv would import: the length of a text in code points. */
const LENGTH_IMPORT = /const (\w+) = require\("ajv\/dist\/runtime\/ucs2length"\)\.default/g;

function withoutDescriptions<T>(value: T): T {
  return JSON.parse(
    JSON.stringify(value, (key, item) => (key === 'description' && typeof item === 'string' ? undefined : item)),
  );
}
