import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { ConfigSource } from '../config/config-source.ts';
import type { HomeLayout } from '../platform/home-layout.ts';
import type { Database } from '../store/database.ts';
import { appendEvent, type NewEvent } from '../store/events.ts';
import type { EventBus } from './event-bus.ts';
import type { KeyedLock } from './keyed-lock.ts';

/** What operations are made of; each takes the parts that it uses. */
export interface ServiceParts {
  readonly layout: HomeLayout;
  readonly database: Database;
  readonly config: ConfigSource;
  readonly bus: EventBus;
  /** Keys are `repo:NAME`, `fetch:NAME` and `workspace:NAME`. */
  readonly locks: KeyedLock;
  readonly log: Pick<FastifyBaseLogger, 'info' | 'warn' | 'error'>;
  readonly watching: RepoWatch;
  /** The HTTP side, before its routes; its log is the service's. */
  readonly app: FastifyInstance;
}

/** Who is told that there is a root repo more or less to watch. */
export interface RepoWatch {
  repoAdded(name: string): Promise<void> | void;
  repoRemoved(name: string): Promise<void> | void;
}

/** Changes the store in one transaction with the events that tell of it, then wakes those who read events. */
export function commit<Value>(
  { database, bus }: Pick<ServiceParts, 'database' | 'bus'>,
  events: readonly Omit<NewEvent, 'atMs'>[],
  change: () => Value,
): Value {
  const value = database.transaction(() => {
    const changed = change();
    for (const event of events) appendEvent(database, { ...event, atMs: Date.now() });
    return changed;
  });
  bus.wake();
  return value;
}
