import type { ReplyCache } from '../../github/conditional-api.ts';
import { pause } from '../../platform/wait.ts';
import { allPulls, type StoredPull } from '../../store/pull-requests.ts';
import type { ServiceParts } from '../parts.ts';
import { lookAndStore } from './look-at-pulls.ts';

/** Looked again after so long whether there is anything to watch, or the setting changed. */
const IDLE_MS = 60_000;
const SLICE_MS = 5_000;
const FIRST_MS = 20_000;
/** One that is no longer open may be opened again, but seldom is. */
const CLOSED_EVERY = 20;
const LOOK_LIMIT_MS = 60_000;
/** After a refusal for the number of calls, or without a network, a host is left alone for longer each time, up to this. */
const LONGEST_PAUSE_MS = 30 * 60_000;

type WatchParts = Pick<ServiceParts, 'bus' | 'config' | 'database' | 'log'>;

/**
 * Looks at the open pull requests once in `pull_requests.poll_interval_s`, one after the other; with none, or with the
 * setting at 0, `gh` is never started. A host that fails is left alone for a while, the others are not. Gives the
 * function that ends it.
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
  /** Hosts that failed: how often in a row, and until when they are left alone. */
  const troubled = new Map<string, Trouble>();
  await pause(firstMs, signal);
  for (let round = 0; ; round += 1) {
    const beganAtMs = Date.now();
    try {
      if (intervalOf(parts) > 0) await lookAtDue(parts, round, troubled, { cache, signal });
    } catch (error) {
      signal.throwIfAborted();
      // Such as a full disk; the next round may find it mended.
      parts.log.warn({ err: error }, 'a round of looks at pull requests was given up');
    }
    await pauseForInterval(parts, beganAtMs, signal);
  }
}

async function lookAtDue(
  parts: WatchParts,
  round: number,
  troubled: Map<string, Trouble>,
  looking: { cache: ReplyCache; signal: AbortSignal },
): Promise<void> {
  const due = duePulls(allPulls(parts.database), round);
  for (const host of new Set(due.map(({ place }) => place.host))) {
    if ((troubled.get(host)?.untilMs ?? 0) > Date.now()) continue;
    const ofHost = due.filter(({ place }) => place.host === host);
    const waitS = await lookAtHost(parts, ofHost, looking);
    if (waitS === undefined) troubled.delete(host);
    else troubled.set(host, troubleAfter(troubled.get(host), waitS, intervalOf(parts)));
  }
}

interface Trouble {
  readonly failures: number;
  readonly untilMs: number;
}

function troubleAfter(before: Trouble | undefined, waitS: number, intervalS: number): Trouble {
  const failures = (before?.failures ?? 0) + 1;
  const grownMs = Math.min(intervalS * 1000 * 2 ** failures, LONGEST_PAUSE_MS);
  return { failures, untilMs: Date.now() + Math.max(grownMs, waitS * 1000) };
}

/** In slices, since the interval may be changed meanwhile. */
async function pauseForInterval(parts: WatchParts, beganAtMs: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    const intervalMs = intervalOf(parts) * 1000;
    const leftMs = intervalMs === 0 ? IDLE_MS : beganAtMs + intervalMs - Date.now();
    if (leftMs <= 0) return;
    await pause(Math.min(leftMs, SLICE_MS), signal);
    if (intervalMs === 0 && Date.now() - beganAtMs >= IDLE_MS) return;
  }
}

/** Seconds to wait at least if the host was not reached, or wants to be left alone: then its others are not asked. */
async function lookAtHost(
  parts: WatchParts,
  pulls: readonly StoredPull[],
  { cache, signal }: { cache: ReplyCache; signal: AbortSignal },
): Promise<number | undefined> {
  for (const pull of pulls) {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(LOOK_LIMIT_MS)]);
    const looked = await lookAndStore(parts, pull, { cache, signal: limited }).catch((error: unknown) => {
      signal.throwIfAborted();
      parts.log.warn({ err: error, repo: pull.repo, number: pull.number }, 'a look at a pull request was given up');
      return { kind: 'failed' as const, code: 'GITHUB_UNREACHABLE', waitS: 0 };
    });
    if (looked.kind === 'failed' && OF_THE_HOST.includes(looked.code)) return looked.waitS;
  }
  return undefined;
}

/** What stands in the way of one pull request stands in the way of all others on its host. */
const OF_THE_HOST = ['GH_MISSING', 'GH_LOGGED_OUT', 'GITHUB_UNREACHABLE', 'GITHUB_BUSY'];

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
