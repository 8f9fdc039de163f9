import { readFileSync } from 'node:fs';
import { VfioUserError } from '../errors.ts';
import { viewOf } from '../protocol/index.ts';

/**
 * The device's own words: 256 short ones, 8 bits each. They make PASSPHRASE_CMD work with no file at all; `wordList`
 * names a file with more. The driver's ioctl uses the guest's firmware file instead.
 */
const builtIn =
  'acid acorn agent alarm alloy amber anchor angle apple april arena arrow aspen atlas atom award axis bacon badge bagel ' +
  'baker bamboo banjo barn basil beach beacon bean bench birch bison blade blaze block bloom board boat bolt bonus book ' +
  'booth brass bread brick bridge brook brush bucket cabin cable cactus camel camp canal candle canoe canyon cargo carpet ' +
  'cedar chalk charm chess chief cider circle city clay cliff clock cloud clover coast cobalt cocoa comet copper coral ' +
  'cotton couch cove crane crater creek crown crystal cube curve dawn deck delta desk dial diner dock dome dragon drum ' +
  'dune eagle earth echo ember engine fabric falcon farm feather fern ferry fiber field flame flint flute foam forest ' +
  'fossil fox frost galaxy garden garlic gate gecko ginger glass globe glove grain granite grape grove guitar gull hammer ' +
  'harbor hazel helmet heron hill honey horizon ibis icon igloo index inlet iris island ivory jacket jade jasmine jelly ' +
  'jewel jungle kayak kettle kiwi knot koala ladder lagoon lake lamp lantern larch lava leaf lemon lens lever lilac lime ' +
  'linen lion lotus lunar magnet mango maple marble meadow melon mesa metal mint mirror moss motor music nectar nest ' +
  'nickel night north novel oasis oat ocean olive onion opal orbit otter oxide paddle palm panda paper pear pebble pepper ' +
  'piano pine pixel planet plum pond poplar prism quartz quill raft rain raven reef ridge river robin rocket rose ruby ' +
  'saddle sage salt sand satin scarf shell silk silver slate solar spark spruce stone storm sugar summit swan tango temple tiger tulip';

export const builtInWords: readonly string[] = builtIn.split(' ');

/** Twelve of the longest words, joined by spaces, and a NUL still fit the 256-byte buffer. */
const LONGEST = 20;

/** Words of a file, one a line; a leading dice number is dropped. Throws INVALID_OPTION for a list that cannot be used. */
export function readWords(path: string): string[] {
  const refuse = (reason: string) =>
    new VfioUserError('INVALID_OPTION', `word list ${JSON.stringify(path)}: ${reason}`);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw refuse((cause as Error).message);
  }
  const words = text
    .split('\n')
    .map((line) => line.trim().replace(/^\d+\s+/, ''))
    .filter((word) => word !== '');
  if (words.length < 2) throw refuse('has fewer than two words');
  const bad = words.find((word) => word.length > LONGEST || !/^[!-~]+$/.test(word));
  if (bad !== undefined)
    throw refuse(`${JSON.stringify(bad.slice(0, 40))} is no ASCII word of at most ${LONGEST} letters`);
  return words;
}

/** `count` words chosen by `random`, each equally likely. */
export function chooseWords(words: readonly string[], count: number, random: (bytes: number) => Uint8Array): string[] {
  const limit = 2 ** 32 - (2 ** 32 % words.length);
  return Array.from({ length: count }, () => {
    for (;;) {
      const one = viewOf(random(4)).getUint32(0, true);
      if (one < limit) return words[one % words.length]!;
    }
  });
}
