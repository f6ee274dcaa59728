import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { BranchChange } from '../../src/contract/branch-change.ts';
import type { Household } from './household.ts';
import { until } from './until.ts';

/** A `takt watch` that goes on, and what it has said. */
export interface Watcher extends AsyncDisposable {
  readonly child: ChildProcess;
  lines(): string[];
  notes(): string;
  /** Waits for so many lines on standard output. */
  untilLines(count: number): Promise<string[]>;
  untilNote(pattern: RegExp): Promise<void>;
  /** Ends it as Ctrl-C does. */
  interrupt(): Promise<number | null>;
}

/** Takes a `takt watch` that was started in whatever way. */
export function watcherOf(child: ChildProcess): Watcher {
  let [out, err] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
  const lines = (): string[] => out.split('\n').filter((line) => line !== '');
  const interrupt = async (): Promise<number | null> => {
    if (child.exitCode !== null) return child.exitCode;
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    return ((await ended) as [number | null])[0];
  };
  return {
    child,
    lines,
    notes: () => err,
    untilLines: (count) => until(`${count} lines`, () => (lines().length >= count ? lines() : undefined)),
    untilNote: async (pattern) => void (await until(String(pattern), () => (pattern.test(err) ? true : undefined))),
    interrupt,
    [Symbol.asyncDispose]: async () => void (await interrupt()),
  };
}

/** Starts it, and waits until it watches. */
export async function watched(house: Household, ...words: string[]): Promise<Watcher> {
  const watcher = watcherOf(house.start('watch', ...words));
  await watcher.untilNote(/^watching /m);
  return watcher;
}

export const parsed = (lines: readonly string[]): BranchChange[] =>
  lines.map((line) => JSON.parse(line) as BranchChange);
