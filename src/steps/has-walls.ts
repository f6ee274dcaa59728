import type { AttemptWork } from '../contract/attempt.ts';

/**
 * True if some of the work is done in the run's folder, and so inside walls. Other scripts work on takt's own repos
 * alone.
 */
export function hasWalls(work: AttemptWork): boolean {
  return work.kind !== 'script' || isMerge(work);
}

/** The script with an outside half, which fetches, and an inside half, which merges. */
export function isMerge(work: AttemptWork): boolean {
  return work.kind === 'script' && work.script === 'merge_upstream';
}
