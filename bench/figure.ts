/** One figure of the table: what is measured, beside what, and the bar that it has to keep. */
export interface Figure {
  readonly name: string;
  /** One line for people: what takt does and what the plain tool does. */
  readonly about: string;
  measure(report: (text: string) => void): Promise<Measured>;
}

export interface Measured {
  /** Every number with its unit in its name, such as `taktMedianMs`. */
  readonly values: Readonly<Record<string, number>>;
  /** What the bar says, and whether it is kept. */
  readonly bars: readonly { readonly rule: string; readonly isKept: boolean }[];
}

/**
 * Runs `a` and `b` in turns, `pairs` times, so that both meet the same weather; times in milliseconds.
 * `between` clears up after each pair and is not measured.
 */
export async function alternate(
  pairs: number,
  a: (round: number) => Promise<void>,
  b: (round: number) => Promise<void>,
  between: (round: number) => Promise<void> = async () => undefined,
): Promise<{ a: number[]; b: number[] }> {
  const times = { a: [] as number[], b: [] as number[] };
  const timed = async (work: (round: number) => Promise<void>, round: number): Promise<number> => {
    const start = performance.now();
    await work(round);
    return performance.now() - start;
  };
  for (let round = 0; round < pairs; round += 1) {
    const aFirst = round % 2 === 0;
    if (aFirst) times.a.push(await timed(a, round));
    times.b.push(await timed(b, round));
    if (!aFirst) times.a.push(await timed(a, round));
    await between(round);
  }
  return times;
}

/** The value below which `share` of the numbers lie; `share` is between 0 and 1. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export const median = (numbers: readonly number[]): number => quantile(numbers, 0.5);

/** The bar «takt's median is at most `limit` times the plain tool's». */
export function ratioBar(takt: readonly number[], plain: readonly number[], limit: number, tool: string): Measured {
  const ratio = median(takt) / median(plain);
  return {
    values: {
      taktMedianMs: median(takt),
      taktP99Ms: quantile(takt, 0.99),
      plainMedianMs: median(plain),
      plainP99Ms: quantile(plain, 0.99),
      ratio,
      pairs: takt.length,
    },
    bars: [{ rule: `median at most ${limit} × ${tool}`, isKept: ratio <= limit }],
  };
}
