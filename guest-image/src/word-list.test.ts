import { describe, expect, it } from 'vitest';
import { parseDicewareList, WORDS } from './word-list.ts';

const lines = (count: number) =>
  Array.from({ length: count }, (_value, index) => `11111\tword${'a'.repeat(index % 5)}`);

describe('parseDicewareList', () => {
  it('takes the words behind the dice', () => {
    const words = parseDicewareList([...lines(WORDS - 2), '66665\tyo-yo', '66666\tzoom'].join('\n'));
    expect(words).toHaveLength(7776);
    expect(words.slice(-2)).toEqual(['yo-yo', 'zoom']);
  });

  it.each([
    ['too few words', lines(WORDS - 1).join('\n'), /has 7775 words/],
    ['a line without a word', [...lines(WORDS - 1), '66666'].join('\n'), /without a word: "66666"/],
    ['two words in a line', [...lines(WORDS - 1), '66666 a b'].join('\n'), /without a word/],
    ['nothing', '', /has 0 words/],
  ])('refuses %s', (_what, text, reason) => {
    expect(() => parseDicewareList(text)).toThrow(reason);
  });
});
