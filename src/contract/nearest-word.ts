/**
 * The word that was probably meant, or undefined if none is near: the one with the fewest slips of the finger, a third
 * of the word's letters at most. A word that begins with what was typed counts as near as well.
 */
export function nearestWord(typed: string, words: Iterable<string>): string | undefined {
  const wanted = typed.toLowerCase();
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  let nearest: string | undefined;
  let fewest = limit + 1;
  for (const word of words) {
    const slips = slipsBetween(wanted, word.toLowerCase());
    if (slips < fewest) [nearest, fewest] = [word, slips];
  }
  if (nearest !== undefined || wanted.length < 2) return nearest;
  return [...words].find((word) => word.toLowerCase().startsWith(wanted));
}

/** How many letters have to be added, left out, replaced or swapped with their neighbour (optimal string alignment). */
function slipsBetween(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwap = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        last[column]! + 1,
        current[column - 1]! + 1,
        last[column - 1]! + (isSame ? 0 : 1),
        isSwap ? beforeLast[column - 2]! + 1 : Infinity,
      );
    }
    [beforeLast, last] = [last, current];
  }
  return last[to.length]!;
}
