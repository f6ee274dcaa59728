import { Fault } from '../contract/faults.ts';
import { pause } from '../platform/wait.ts';

/** A service that is being restarted has to be back within this. */
const AWAY_LIMIT_MS = 60_000;
const TRY_AGAIN_MS = 300;

/**
 * Repeats what a restart of the service breaks off, until it gives true. It calls `answered` whenever the service has
 * answered; a service that stays away for a minute is the fault that the last try ended with.
 */
export async function outlastRestart(
  attempt: (answered: () => void) => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  let awaySinceMs: number | undefined;
  const answered = (): void => {
    awaySinceMs = undefined;
  };
  for (;;) {
    try {
      if (await attempt(answered)) return;
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'SERVICE_UNREACHABLE') throw error;
      awaySinceMs ??= Date.now();
      if (Date.now() - awaySinceMs > AWAY_LIMIT_MS) throw error;
    }
    await pause(TRY_AGAIN_MS, signal);
  }
}
