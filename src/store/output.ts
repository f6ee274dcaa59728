import type { Database } from './database.ts';

/** Stores bytes of an attempt's output.ndjson; `startByte` is their place in that file. Repeating it changes nothing. */
export function appendOutput(database: Database, attempt: string, startByte: number, bytes: Uint8Array): void {
  if (bytes.length === 0) return;
  database
    .prepare('INSERT INTO output (attempt, start_byte, bytes) VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
    .run(attempt, startByte, bytes);
}

/** Bytes from `fromByte` on, at most `limitBytes`; empty at the end of what is stored. */
export function readOutput(database: Database, attempt: string, fromByte: number, limitBytes: number): Buffer {
  const rows = database
    .prepare(
      `SELECT start_byte, bytes FROM output
        WHERE attempt = ?1
          AND start_byte >= (SELECT coalesce(max(start_byte), 0) FROM output WHERE attempt = ?1 AND start_byte <= ?2)
          AND start_byte < ?3
        ORDER BY start_byte`,
    )
    .iterate(attempt, fromByte, fromByte + limitBytes);
  const parts: Buffer[] = [];
  for (const row of rows) {
    const bytes = row['bytes'] as Uint8Array;
    const startByte = Number(row['start_byte']);
    const from = Math.max(0, fromByte - startByte);
    const to = Math.min(bytes.length, fromByte + limitBytes - startByte);
    if (from < to) parts.push(Buffer.from(bytes.subarray(from, to)));
  }
  return Buffer.concat(parts);
}

/** How many bytes are stored; the place where the next ones go. */
export function storedBytes(database: Database, attempt: string): number {
  const row = database
    .prepare('SELECT start_byte + length(bytes) AS size FROM output WHERE attempt = ? ORDER BY start_byte DESC LIMIT 1')
    .get(attempt);
  return row === undefined ? 0 : Number(row['size']);
}
