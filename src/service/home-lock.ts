import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Fault } from '../contract/faults.ts';
import type { HomeLayout } from '../platform/home-layout.ts';
import { readServiceFile } from './service-file.ts';

const SQLITE_BUSY = 5;

/**
 * Makes this process the only service of its home until the lock is released or the process dies, however it dies: the
 * lock is SQLite's own, which the kernel drops with the process. Fault SERVICE_LOCKED if another one has it.
 */
export async function lockHome(layout: HomeLayout): Promise<{ release(): void }> {
  const connection = new DatabaseSync(layout.lock, { timeout: 0 });
  try {
    connection.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    connection.close();
    if (((error as { errcode?: number }).errcode ?? 0) % 256 !== SQLITE_BUSY) throw error;
    const other = await readServiceFile(layout);
    const who = other === undefined ? '' : ` It is process ${other.pid}, on port ${other.port}.`;
    throw new Fault('SERVICE_LOCKED', `Another service runs for ${layout.home}.${who}`, { cause: error });
  }
  chmodSync(layout.lock, 0o600);
  return { release: () => connection.close() };
}
