import { type EventTopic, TaktEvent } from '../contract/events.ts';
import { type Database, metaValue } from './database.ts';

export interface NewEvent {
  readonly topic: EventTopic;
  readonly atMs: number;
  readonly workspace?: string;
  readonly run?: string;
  readonly data?: TaktEvent['data'];
}

/** Appends an event; belongs into the transaction of the change that it tells of. */
export function appendEvent(database: Database, event: NewEvent): void {
  database
    .prepare('INSERT INTO events (topic, at_ms, workspace, run, data) VALUES (?, ?, ?, ?, ?)')
    .run(event.topic, event.atMs, event.workspace ?? null, event.run ?? null, JSON.stringify(event.data ?? {}));
}

/** Events after number `after`, oldest first, at most `limit`. */
export function eventsAfter(database: Database, after: number, limit: number): TaktEvent[] {
  const epoch = metaValue(database, 'epoch');
  return database
    .prepare('SELECT n, topic, at_ms, workspace, run, data FROM events WHERE n > ? ORDER BY n LIMIT ?')
    .all(after, limit)
    .map((row) =>
      TaktEvent.parse({
        id: `${epoch}-${Number(row['n'])}`,
        topic: row['topic'],
        atMs: row['at_ms'],
        workspace: row['workspace'],
        run: row['run'],
        data: JSON.parse(String(row['data'])),
      }),
    );
}

/** The numbers of the oldest event that is kept and of the newest; zero if there is none. */
export function eventBounds(database: Database): { oldest: number; newest: number } {
  const row = database
    .prepare('SELECT coalesce(min(n), 0) AS oldest, coalesce(max(n), 0) AS newest FROM events')
    .get() as { oldest: number; newest: number };
  return { oldest: row.oldest, newest: row.newest };
}

/** Drops events older than a time, so that the log stays bounded. */
export function pruneEvents(database: Database, beforeMs: number): void {
  database.prepare('DELETE FROM events WHERE at_ms < ?').run(beforeMs);
}
