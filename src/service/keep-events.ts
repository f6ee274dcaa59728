import { pruneEvents } from '../store/events.ts';
import type { ServiceParts } from './parts.ts';

const KEEP_MS = 30 * 24 * 60 * 60 * 1000;
const PRUNE_EVERY_MS = 24 * 60 * 60 * 1000;

/** Drops events older than 30 days, now and every day. Gives the function that ends it. */
export function startKeepingEvents({ database, log }: Pick<ServiceParts, 'database' | 'log'>): () => void {
  const prune = (): void => {
    try {
      pruneEvents(database, Date.now() - KEEP_MS);
    } catch (error) {
      // Such as a full disk. Old events do no harm until the next time.
      log.warn({ err: error }, 'events that are old could not be dropped');
    }
  };
  prune();
  const timer = setInterval(prune, PRUNE_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
