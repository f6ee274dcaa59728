import { isAlive } from '../platform/process-identity.ts';
import type { StopReason } from '../store/runs.ts';
import type { LiveAttempt } from './live-attempt.ts';
import { writeCancel } from './spool-folder.ts';

/** A host that shows no sign of life for so long after it was asked to end is ended. */
const ANSWER_LIMIT_MS = 10_000;
/** What it takes at most to end the work and to pin it, however busily. */
const END_LIMIT_MS = 120_000;

/** Leaves the message in the spool, where it holds when nobody is alive, and wakes the host that is proven. */
export async function askToEnd(live: LiveAttempt, reason: StopReason): Promise<void> {
  if (live.cancel !== undefined) return;
  const nowMs = Date.now();
  live.cancel = { reason, sinceMs: nowMs };
  live.lastSignMs = nowMs;
  await writeCancel(live.folder, { reason });
  signalHost(live, 'SIGTERM');
}

/** Ends a host that does not do what it was asked; the look that follows finds it gone. */
export function endDeafHost(live: LiveAttempt): boolean {
  if (live.cancel === undefined) return false;
  const nowMs = Date.now();
  const isDeaf = nowMs - Math.max(live.lastSignMs, live.cancel.sinceMs) > ANSWER_LIMIT_MS;
  if (!isDeaf && nowMs - live.cancel.sinceMs <= END_LIMIT_MS) return false;
  return signalHost(live, 'SIGKILL');
}

function signalHost(live: LiveAttempt, signal: NodeJS.Signals): boolean {
  if (live.host === undefined || !isAlive(live.host)) return false;
  try {
    process.kill(live.host.pid, signal);
    return true;
  } catch (error) {
    // It ended between the look and the signal.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
