import type { ReplyCache } from '../../github/conditional-api.ts';
import { pause } from '../../platform/wait.ts';
import { allPulls, type StoredPull } from '../../store/pull-requests.ts';
import type { ServiceParts } from '../parts.ts';
import { lookAndStore } from './look-at-pulls.ts';

/** Looked again after so long whether there is anything to watch, or the setting changed. */
const IDLE_MS = 60_000;
const FIRST_MS = 20_000;
/** One that is no longer open may be opened again, but seldom is. */
const CLOSED_EVERY = 20;
const LOOK_LIMIT_MS = 60_000;
/** After a refusal for the number of calls, or without a network, the pause doubles up to this. */
const LONGEST_PAUSE_MS = 30 * 60_000;

type WatchParts = Pick<ServiceParts, 'bus' | 'config' | 'database' | 'log'>;

/**
 * Looks at the open pull requests once in `pull_requests.poll_interval_s`, one after the other; with none, or with the
 * setting at 0, `gh` is never started. What fails makes the pauses longer. Gives the function that ends it.
 */
export function watchPulls(
  parts: WatchParts,
  { cache, stopping, firstMs = FIRST_MS }: { cache: ReplyCache; stopping: AbortSignal; firstMs?: number },
): () => void {
  const ending = new AbortController();
  const signal = AbortSignal.any([stopping, ending.signal]);
  watch(parts, { cache, signal, firstMs }).catch((error: unknown) => {
    if (!signal.aborted) parts.log.error({ err: error }, 'the watching of pull requests ended');
  });
  return () => ending.abort();
}

async function watch(
  parts: WatchParts,
  { cache, signal, firstMs }: { cache: ReplyCache; signal: AbortSignal; firstMs: number },
): Promise<void> {
  let failures = 0;
  await pause(firstMs, signal);
  for (let round = 0; ; round += 1) {
    const intervalMs = intervalOf(parts) * 1000;
    const due = intervalMs === 0 ? [] : duePulls(allPulls(parts.database), round);
    if (due.length === 0) {
      await pause(intervalMs === 0 ? IDLE_MS : Math.min(intervalMs, IDLE_MS), signal);
      continue;
    }
    failures = (await lookAtAll(parts, due, { cache, signal })) ? 0 : failures + 1;
    await pause(Math.min(intervalMs * 2 ** failures, Math.max(intervalMs, LONGEST_PAUSE_MS)), signal);
  }
}

/** False if GitHub was not reached, or wants to be left alone: then the others are not asked either. */
async function lookAtAll(
  parts: WatchParts,
  pulls: readonly StoredPull[],
  { cache, signal }: { cache: ReplyCache; signal: AbortSignal },
): Promise<boolean> {
  for (const pull of pulls) {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(LOOK_LIMIT_MS)]);
    const looked = await lookAndStore(parts, pull, { cache, signal: limited }).catch((error: unknown) => {
      signal.throwIfAborted();
      parts.log.warn({ err: error, repo: pull.repo, number: pull.number }, 'a look at a pull request was given up');
      return { kind: 'failed' as const, code: 'GITHUB_UNREACHABLE' };
    });
    if (looked.kind === 'failed' && looked.code !== 'PR_REFUSED') return false;
  }
  return true;
}

function duePulls(pulls: readonly StoredPull[], round: number): StoredPull[] {
  return pulls.filter(({ sight }) => {
    switch (sight.state) {
      case 'open':
        return true;
      case 'closed':
        return round % CLOSED_EVERY === 0;
      case 'merged':
        return false;
    }
  });
}

/** Zero while the settings cannot be read: whoever acts is told what is wrong with them. */
function intervalOf({ config, log }: Pick<WatchParts, 'config' | 'log'>): number {
  try {
    return config.settings().pull_requests.poll_interval_s;
  } catch (error) {
    log.warn({ err: error }, 'pull requests are not watched: the settings cannot be read');
    return 0;
  }
}
