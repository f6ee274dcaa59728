import type { AttemptOutcome } from '../contract/attempt.ts';
import { type AttemptEnd, findAttempt, sealAttempt, type StoredAttempt } from '../store/attempts.ts';
import type { Database } from '../store/database.ts';
import { appendEvent } from '../store/events.ts';
import { recordOpenedPull } from '../store/pull-requests.ts';
import { recordUpstreamHead } from '../store/upstream-heads.ts';
import type { LiveAttempt } from './live-attempt.ts';

/**
 * Gives an attempt its end, in one transaction with the event and with what it let out. Its output has to be stored
 * before. An attempt that has an end already keeps that.
 */
export function sealWith(
  database: Database,
  live: LiveAttempt,
  end: AttemptEnd,
  { pushed, pulls }: Pick<AttemptOutcome, 'pushed' | 'pulls'> = { pushed: [], pulls: [] },
): StoredAttempt {
  return database.transaction(() => {
    const { id, run, workspace, step, number } = live;
    if (sealAttempt(database, id, end)) {
      const atMs = Date.now();
      appendEvent(database, {
        topic: 'step.update',
        atMs,
        workspace,
        run,
        data: { step, state: end.state, attempt: id, number },
      });
      for (const { repo, commit } of pushed) {
        recordUpstreamHead(database, { repo, branch: workspace, commit, atMs });
        appendEvent(database, { topic: 'push.update', atMs, workspace, run, data: { repo, commit } });
      }
      for (const pull of pulls) {
        recordOpenedPull(database, workspace, pull, atMs);
        const { repo, number, url } = pull;
        appendEvent(database, { topic: 'pr.update', atMs, workspace, run, data: { repo, number, url, state: 'open' } });
      }
    }
    return findAttempt(database, id)!;
  });
}

/** The end as the host reported it. */
export function endFromOutcome(outcome: AttemptOutcome): AttemptEnd {
  const { state, reason, exitCode, result, usage, confinement, repos, outputBytes, endedAtMs } = outcome;
  return { state, reason, exitCode, result, usage, confinement, repos, outputBytes, endedAtMs };
}

/** The end of an attempt whose host reported none. */
export function endWithoutOutcome(
  live: LiveAttempt,
  state: 'interrupted' | 'broken' | 'cancelled' | 'superseded',
  reason: NonNullable<AttemptEnd['reason']>,
): AttemptEnd {
  return {
    state,
    reason,
    exitCode: null,
    result: null,
    usage: null,
    confinement: null,
    repos: [],
    outputBytes: live.storedBytes,
    endedAtMs: Date.now(),
  };
}
