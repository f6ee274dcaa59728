import { nearestWord } from '../contract/nearest-word.ts';

/** ` Did you mean X?` with a leading blank, or nothing. */
export function didYouMean(written: string, known: readonly string[]): string {
  const word = nearestWord(written, known);
  return word === undefined ? '' : ` Did you mean ${word}?`;
}
