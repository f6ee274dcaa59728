import { accessSync, chmodSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { Fault } from '../contract/faults.ts';

/** The store's own handle: one writer, prepared statements kept. Everything in it is synchronous. */
export interface Database {
  readonly connection: DatabaseSync;
  /** Prepares once per text. */
  prepare(sql: string): StatementSync;
  /** Runs `work` in one IMMEDIATE transaction; calls inside it join in. It must not await. */
  transaction<Value>(work: () => Value): Value;
  close(): void;
}

const BUSY_TIMEOUT_MS = 5_000;
const READ_TIMEOUT_MS = 1_000;
/** SQLite's name for a store that is no file. */
const IN_MEMORY = ':memory:';

/**
 * Opens the store, brings its schema up to date and makes sure that a full disk or a power loss costs nothing committed.
 * The file is for its owner alone; SQLite gives those beside it the same rights.
 */
export function openDatabase(file: string): Database {
  const connection = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  if (file !== IN_MEMORY) chmodSync(file, 0o600);
  connection.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000; PRAGMA wal_autocheckpoint = 1000',
  );
  const database = handleOf(connection);
  migrate(database);
  return database;
}

/**
 * Opens the store to look at it, beside a service or without one; undefined if there is none. Nothing on the disk is
 * changed: SQLite may not write the index of the write-ahead log, and where no log lies beside the file, it is told that
 * nobody writes it (sqlite.org/uri.html). The schema is what it is, so that a statement may fail.
 */
export function openDatabaseToRead(file: string): (Database & Disposable) | undefined {
  if (!isThereToRead(file)) return undefined;
  const place = pathToFileURL(file);
  // A log without its index is what a copy of a home has; reading makes the index then.
  if (!existsSync(`${file}-wal`)) place.searchParams.set('immutable', '1');
  else if (existsSync(`${file}-shm`)) place.searchParams.set('readonly_shm', '1');
  const connection = new DatabaseSync(place, { timeout: READ_TIMEOUT_MS, readOnly: true });
  return { ...handleOf(connection), close: () => connection.close(), [Symbol.dispose]: () => connection.close() };
}

/** Throws what the system says of a file that may not be read, of which SQLite tells only that it did not open it. */
function isThereToRead(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

function handleOf(connection: DatabaseSync): Database {
  const statements = new Map<string, StatementSync>();
  let depth = 0;
  return {
    connection,
    prepare(sql) {
      const known = statements.get(sql);
      if (known !== undefined) return known;
      const prepared = connection.prepare(sql);
      statements.set(sql, prepared);
      return prepared;
    },
    transaction(work) {
      if (depth > 0) return work();
      connection.exec('BEGIN IMMEDIATE');
      depth += 1;
      try {
        const value = work();
        connection.exec('COMMIT');
        return value;
      } catch (error) {
        // SQLite has rolled back by itself on some errors, such as a full disk.
        if (connection.isTransaction) connection.exec('ROLLBACK');
        throw error;
      } finally {
        depth -= 1;
      }
    },
    close() {
      connection.exec('PRAGMA optimize');
      connection.close();
    },
  };
}

function migrate(database: Database): void {
  const folder = join(import.meta.dirname, 'migrations');
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .toSorted();
  database.transaction(() => {
    const { user_version: version } = database.connection.prepare('PRAGMA user_version').get() as {
      user_version: number;
    };
    if (version > files.length)
      throw new Fault('HOME_NEWER', `The store has schema ${version}, and this takt knows ${files.length}.`);
    for (const name of files.slice(version)) database.connection.exec(readFileSync(join(folder, name), 'utf8'));
    database.connection.exec(`PRAGMA user_version = ${files.length}`);
    for (const key of ['home_id', 'epoch']) {
      database.connection
        .prepare('INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO NOTHING')
        .run(key, randomBytes(8).toString('hex'));
    }
  });
}

/** A fact about the home itself: `home_id` or `epoch`, both 16 hexadecimal digits. */
export function metaValue(database: Database, key: 'home_id' | 'epoch'): string {
  const row = database.prepare('SELECT value FROM meta WHERE key = ?').get(key) as { value: string } | undefined;
  if (row === undefined) throw new Fault('INTERNAL', `The store has no ${key}.`);
  return row.value;
}
