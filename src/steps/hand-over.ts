import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AttemptRequest } from '../contract/attempt.ts';
import { Fault } from '../contract/faults.ts';
import { runProcess } from '../platform/run-process.ts';
import { makeHostFolder } from './host-folder.ts';

const HAND_OVER_LIMIT_MS = 120_000;

/**
 * Gives the run's and the agent's folder, with all in them, to the user of this attempt's work, if the last attempt was
 * another user's: where takt runs as root, confined work is a user of its own, and unconfined work is root. No link
 * is followed, and files from elsewhere cannot be linked into folders that are mounts of their own inside.
 */
export async function handOver(request: AttemptRequest, user: { uid: number; gid: number }): Promise<void> {
  const record = join(makeHostFolder(request), 'owner');
  const owner = `${user.uid}:${user.gid}`;
  const last = existsSync(record) ? readFileSync(record, 'utf8') : owner;
  if (last !== owner) {
    const folders = [request.runFolder, request.agentFolder].filter((folder) => existsSync(folder));
    const { exitCode, stderr } = await runProcess('chown', ['-RhP', owner, '--', ...folders], {
      env: { PATH: '/usr/bin:/bin' },
      signal: AbortSignal.timeout(HAND_OVER_LIMIT_MS),
    });
    if (exitCode !== 0)
      throw new Fault('INTERNAL', 'The run’s folder could not be given to the user of this step’s work.', {
        detail: stderr,
      });
  }
  if (last !== owner || !existsSync(record)) writeFileSync(record, owner);
}
