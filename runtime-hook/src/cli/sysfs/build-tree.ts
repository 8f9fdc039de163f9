import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { PciError } from '@kata-mock/pci';
import { FakeTree, type TreeDescription } from '@kata-mock/pci/testing';
import { KataMockError } from '../../errors.ts';

/** Builds a described tree in a directory. @returns how many functions it has */
export function buildTree(descriptionFile: string, directory: string): number {
  if (existsSync(directory) && readdirSync(directory).length > 0) {
    throw new KataMockError('USAGE', `"${directory}" is not empty`, { hint: 'name a new directory' });
  }
  const description = readDescription(descriptionFile);
  mkdirSync(directory, { recursive: true });
  try {
    return new FakeTree(description, directory).functions.size;
  } catch (error) {
    if (error instanceof PciError) throw new KataMockError('USAGE', `"${descriptionFile}": ${error.message}`);
    throw error;
  }
}

function readDescription(file: string): TreeDescription {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as TreeDescription;
    if (!Array.isArray(value.roots)) throw new Error('it has no list "roots"');
    return value;
  } catch (error) {
    throw new KataMockError('USAGE', `cannot read "${file}": ${(error as Error).message}`);
  }
}
