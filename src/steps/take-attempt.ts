import { linkSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { AttemptHost } from '../contract/attempt.ts';
import { Fault } from '../contract/faults.ts';
import { writeNewSynced } from '../platform/files-sync.ts';
import { identityOf } from '../platform/process-identity.ts';
import { PROTOCOL } from './read-request.ts';

/**
 * Makes this process the attempt's host, and says whether it is: `taken` may be there already, as another host's or as
 * the service's revocation. Whoever links it first wins. `taken` and `host.json` are one file.
 */
export function takeAttempt(folder: string): boolean {
  const identity = identityOf(process.pid);
  if (identity === undefined) throw new Fault('PLATFORM_UNSUPPORTED', 'This process has no entry in /proc.');
  const host: AttemptHost = { protocol: PROTOCOL, ...identity, startedAtMs: Date.now() };
  const temporary = join(folder, `host.json.${process.pid}.tmp`);
  // Whole before it gets its name; that the name itself survives a power loss does not matter, as no host does.
  writeNewSynced(temporary, JSON.stringify(host));
  try {
    linkSync(temporary, join(folder, 'taken'));
  } catch (error) {
    rmSync(temporary);
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  renameSync(temporary, join(folder, 'host.json'));
  return true;
}
