import { readFileSync } from 'node:fs';
import { format } from 'node:util';
import { transformSync } from 'esbuild';

export interface ExampleOutput {
  /** What a line printed. */
  printed: string;
  /** What the comment behind its console.log promises, when there is one. */
  promised: string | undefined;
}

/**
 * Runs the TypeScript examples of a README, so the test beside it fails when the text is no longer true. A comment
 * behind `console.log(...)` is the promised output (up to a `;`, after which words may follow).
 * @param readme URL of the page
 * @param modules what each import of the examples resolves to
 */
export async function runReadmeExamples(readme: URL, modules: Record<string, object>): Promise<ExampleOutput[]> {
  const blocks = [...readFileSync(readme, 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] as string);
  const outputs: ExampleOutput[] = [];
  for (const block of blocks) outputs.push(...(await runExample(block, modules)));
  return outputs;
}

async function runExample(block: string, modules: Record<string, object>): Promise<ExampleOutput[]> {
  const promises = [...block.matchAll(/^console\.log\(.*\);(?:[ ]*\/\/ ([^;\n]*).*)?$/gm)].map((match) =>
    match[1]?.trim(),
  );
  const source = block.replace(/^import (\{[^}]*\}) from '([^']+)';$/gm, (_, names: string, from: string) => {
    return `const ${names.replaceAll(' as ', ': ')} = __modules[${JSON.stringify(from)}];`;
  });
  const { code } = transformSync(`async function __example(__modules, console) {\n${source}\n}`, { loader: 'ts' });
  const printed: string[] = [];
  const console_ = { log: (...values: unknown[]) => printed.push(format(...values)) };
  await new Function(`${code}\nreturn __example;`)()(modules, console_);
  return printed.map((line, index) => ({ printed: line, promised: promises[index] }));
}
