import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { extractPackages, RELEASE } from './debian.ts';
import { SetupError } from './errors.ts';
import { hashOf } from './hash.ts';
import type { Artefact, Store } from './store.ts';
import { removeTree } from './store.ts';

export interface WordList extends Artefact {
  hash: string;
  /** 7,776 words, one a line: the EFF's large list. */
  file: string;
  /** The package's copyright file, which names the Electronic Frontier Foundation and CC BY 3.0. */
  licence: string;
}

/** Words in the EFF's large list: five dice. */
export const WORDS = 6 ** 5;

/** Takes the word list out of Debian's package diceware, where it comes with its licence. */
export async function provideWordList(store: Store): Promise<WordList> {
  const hash = hashOf({ recipe: 1, release: RELEASE, package: 'diceware' });
  const artefact = await store.produce('words', hash, async (folder) => {
    const root = await extractPackages(folder, { packages: ['diceware'] });
    const list = path.join(root, 'usr/lib/python3/dist-packages/diceware/wordlists/wordlist_en_eff.txt');
    const words = parseDicewareList(await readFile(list, 'utf8'));
    await writeFile(path.join(folder, 'words.txt'), `${words.join('\n')}\n`);
    await copyFile(path.join(root, 'usr/share/doc/diceware/copyright'), path.join(folder, 'LICENCE'));
    await removeTree(root);
  });
  return {
    ...artefact,
    hash,
    file: path.join(artefact.path, 'words.txt'),
    licence: path.join(artefact.path, 'LICENCE'),
  };
}

/**
 * Words of a diceware list, whose lines are `<five dice> <word>`. Throws unless it is the list the driver documents: its
 * size decides how strong a passphrase is.
 */
export function parseDicewareList(text: string): string[] {
  const words = text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const word = /^(?:[1-6]{5}\s+)?([a-z][a-z-]*)$/.exec(line.trim())?.[1];
      if (!word)
        throw new SetupError('BAD_ARCHIVE', `the word list has a line without a word: ${JSON.stringify(line)}`);
      return word;
    });
  if (words.length !== WORDS) {
    throw new SetupError('BAD_ARCHIVE', `the word list has ${words.length} words, expected ${WORDS}`);
  }
  return words;
}
