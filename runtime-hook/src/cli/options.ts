import { InvalidArgumentError, Option } from 'commander';

/** Gathers a repeatable option. */
export function collect(value: string, previous: string[]): string[] {
  return [...previous, value];
}

export function outputOption(): Option {
  return new Option('--output <format>', 'how to print the result').choices(['text', 'json']).default('text');
}

export function positiveInteger(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new InvalidArgumentError(`"${text}" is not a positive whole number.`);
  return Number(text);
}

export function seconds(text: string): number {
  if (!/^[0-9]{1,6}(\.[0-9]{1,3})?$/.test(text))
    throw new InvalidArgumentError(`"${text}" is not a number of seconds.`);
  return Number(text);
}

/** `KEY=VALUE`; the value may be empty and may hold further `=`. */
export function keyValue(text: string, previous: string[]): string[] {
  if (!/^[^=\0]+=[^\0]*$/.test(text)) throw new InvalidArgumentError(`"${text}" is not KEY=VALUE.`);
  return [...previous, text];
}

export type OutputFormat = 'text' | 'json';
