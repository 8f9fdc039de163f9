export interface Schema {
  [keyword: string]: unknown;
}

/**
 * Tags for the items of a list, whose alias typescript-json-schema does not see: `@itemsRef Uint32` names the type,
 * `@itemsPattern ^a` a pattern.
 */
export const itemTags = ['itemsRef', 'itemsPattern'];

/**
 * What typescript-json-schema makes of several files, made pleasant: definitions named by type instead of by import path,
 * aliases and numbered copies of one type merged, the number type removed where an integer keyword says more.
 */
export function plain(raw: Schema, integerKeywords: string[]): Schema {
  const { definitions: found, ...root } = raw;
  const definitions: Record<string, Schema> = {};
  for (const [key, definition] of Object.entries((found ?? {}) as Record<string, Schema>)) {
    const name = typeName(key);
    const value = tidy(definition, integerKeywords) as Schema;
    if (value['$ref'] === reference(name)) delete value['$ref'];
    definitions[name] = { ...definitions[name], ...value };
  }
  for (const definition of Object.values(definitions)) followAlias(definition, definitions);

  let text = JSON.stringify({ ...(tidy(root, integerKeywords) as Schema), definitions });
  for (const copy of Object.keys(definitions).filter((name) => /_\d+$/.test(name))) {
    text = text.replaceAll(`"${reference(copy)}"`, `"${reference(copy.replace(/_\d+$/, ''))}"`);
  }
  const result = JSON.parse(text) as Schema & { definitions: Record<string, Schema> };
  const used = Object.entries(result.definitions).filter(([name]) => text.includes(`"${reference(name)}"`));
  return { ...result, definitions: Object.fromEntries(used.sort(([a], [b]) => (a < b ? -1 : 1))) };
}

function reference(name: string): string {
  return `#/definitions/${name}`;
}

function typeName(key: string): string {
  return key.replace(/^import\(.*\)\./, '');
}

/** A definition that only points at another becomes that other, with its own description. */
function followAlias(definition: Schema, definitions: Record<string, Schema>): void {
  for (let target = definition['$ref']; typeof target === 'string'; target = definition['$ref']) {
    delete definition['$ref'];
    const { description, ...content } = definitions[target.replace('#/definitions/', '')] ?? {};
    Object.assign(definition, content);
    definition['description'] ??= description;
  }
}

function tidy(node: unknown, integerKeywords: string[]): unknown {
  if (Array.isArray(node)) return node.map((item) => tidy(item, integerKeywords));
  if (typeof node !== 'object' || node === null) return node;
  const result: Schema = {};
  const integer = integerKeywords.some((keyword) => keyword in node);
  for (const [key, value] of Object.entries(node)) {
    if (value === undefined || (integer && (key === 'type' || key === 'anyOf'))) continue;
    if (key === 'properties' && Object.keys(value as object).length === 0) continue;
    if (itemTags.includes(key)) continue;
    if (key === 'items' && 'itemsRef' in node) result[key] = { $ref: reference(String(node.itemsRef)) };
    else if (key === 'items' && 'itemsPattern' in node) result[key] = { type: 'string', pattern: node.itemsPattern };
    else if (key === '$ref') {
      result[key] = reference(typeName(decodeURIComponent(String(value).replace('#/definitions/', ''))));
    } else {
      result[key] = tidy(value, integerKeywords);
    }
  }
  return result;
}
