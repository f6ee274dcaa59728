import type { Database } from '../store/database.ts';
import { pruneEvents } from '../store/events.ts';

const KEEP_MS = 30 * 24 * 60 * 60 * 1000;
const PRUNE_EVERY_MS = 24 * 60 * 60 * 1000;

/** Drops events older than 30 days, now and every day. Gives the function that ends it. */
export function startKeepingEvents({ database }: { database: Database }): () => void {
  const prune = (): void => pruneEvents(database, Date.now() - KEEP_MS);
  prune();
  const timer = setInterval(prune, PRUNE_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
