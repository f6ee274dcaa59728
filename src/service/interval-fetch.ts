import type { ServiceParts } from './parts.ts';
import { fetchOne } from './operations/repo/fetch-one.ts';
import { listRoots, type Root } from '../store/roots.ts';

/** Looked at again after so long when fetching is off or the settings cannot be read. */
const IDLE_MS = 60_000;
/** Nothing is fetched right after the start, when there is other work to do. */
const FIRST_MS = 15_000;
const FETCH_LIMIT_MS = 10 * 60_000;

/**
 * Fetches every repo once in `fetch_interval_s`, one at a time and spread over the interval. A fetch that fails is
 * noted
 * at the repo and said to nobody. Gives the function that ends it.
 */
export function startIntervalFetch(parts: ServiceParts, stopping: AbortSignal, firstMs = FIRST_MS): () => void {
  const tried = new Map<string, number>();
  const earliestMs = Date.now() + firstMs;
  let timer: NodeJS.Timeout | undefined;

  const plan = (): void => {
    if (stopping.aborted) return;
    const next = nextFetch(parts, { tried, earliestMs });
    timer = setTimeout(
      () => void work(next?.repo),
      next === undefined ? IDLE_MS : Math.min(Math.max(next.inMs, 0), IDLE_MS),
    );
    timer.unref();
  };
  const work = async (repo: string | undefined): Promise<void> => {
    const due = nextFetch(parts, { tried, earliestMs });
    if (repo !== undefined && due?.repo === repo && due.inMs <= 0) {
      tried.set(repo, Date.now());
      try {
        const signal = AbortSignal.any([stopping, AbortSignal.timeout(FETCH_LIMIT_MS)]);
        await fetchOne(parts, repo, { signal, progress: () => undefined });
      } catch (error) {
        if (!stopping.aborted) parts.log.warn({ repo, err: error }, 'a fetch was given up');
      }
    }
    plan();
  };
  plan();
  return () => clearTimeout(timer);
}

/** Which repo is due first, and in how long; undefined if none ever is. */
function nextFetch(
  parts: Pick<ServiceParts, 'config' | 'database' | 'log'>,
  { tried, earliestMs }: { tried: ReadonlyMap<string, number>; earliestMs: number },
): { repo: string; inMs: number } | undefined {
  const intervalMs = intervalOf(parts) * 1000;
  const roots = listRoots(parts.database);
  if (intervalMs === 0 || roots.length === 0) return undefined;
  const dueAtMs = (root: Root, index: number): number => {
    const lastMs = tried.get(root.repo) ?? root.fetchedAtMs ?? 0;
    // Those that are due at the start take turns, instead of all asking at once.
    const turnMs = earliestMs + (index * intervalMs) / roots.length;
    return tried.has(root.repo) ? lastMs + intervalMs : Math.max(lastMs + intervalMs, turnMs);
  };
  const due = roots.map((root, index) => ({ repo: String(root.repo), inMs: dueAtMs(root, index) - Date.now() }));
  return due.toSorted((one, other) => one.inMs - other.inMs)[0];
}

/** Zero while the settings cannot be read: whoever acts is told what is wrong with them. */
function intervalOf({ config, log }: Pick<ServiceParts, 'config' | 'log'>): number {
  try {
    return config.settings().fetch_interval_s;
  } catch (error) {
    log.warn({ err: error }, 'no interval fetch: the settings cannot be read');
    return 0;
  }
}
