import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { AttemptCancel } from '../contract/attempt.ts';

/** What ends an attempt's work before it is done. `interrupted`: the machine shuts down. */
export type EndCause = AttemptCancel['reason'] | 'timed_out' | 'silent' | 'output_limit' | 'disk_full' | 'interrupted';

/** Aborts once with the first cause; `stop` ends the watching, so that what comes later changes nothing. */
export interface EndWatch {
  readonly signal: AbortSignal;
  cause(): EndCause | undefined;
  /** The work has shown a sign of life. */
  touch(): void;
  end(cause: EndCause): void;
  stop(): void;
}

const LOOK_EVERY_MS = 1_000;

/**
 * Watches everything that may end an attempt: `cancel.json` in its folder (seen at once, and by a look every second),
 * SIGTERM, the time limit and silence. The limits hold here, since the service may be down.
 */
export function watchForEnd(folder: string, limits: { timeoutMs: number; silenceMs: number }): EndWatch {
  const controller = new AbortController();
  const end = (cause: EndCause): void => controller.abort(cause);
  const look = (): void => {
    const reason = cancelReason(folder);
    if (reason !== undefined) end(reason);
  };
  const terminated = (): void => {
    look();
    end('interrupted');
  };
  const watcher = watchFolder(folder, (name) => {
    if (name === null || name === 'cancel.json') look();
  });
  const interval = setInterval(look, LOOK_EVERY_MS);
  const timeout = setTimeout(end, limits.timeoutMs, 'timed_out');
  const silence = setTimeout(end, limits.silenceMs, 'silent');
  process.on('SIGTERM', terminated);
  look();
  return {
    signal: controller.signal,
    cause: () => (controller.signal.aborted ? (controller.signal.reason as EndCause) : undefined),
    touch: () => void (controller.signal.aborted || silence.refresh()),
    end,
    stop() {
      watcher?.close();
      clearInterval(interval);
      clearTimeout(timeout);
      clearTimeout(silence);
    },
  };
}

/** Where it cannot be watched, or the watch breaks, the regular look is in charge. */
function watchFolder(folder: string, changed: (name: string | null) => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, (_event, name) => changed(name));
    return watcher.on('error', () => watcher.close());
  } catch (error) {
    // The machine has too many watches.
    if (['ENOSPC', 'EMFILE'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

function cancelReason(folder: string): AttemptCancel['reason'] | undefined {
  try {
    const { reason } = JSON.parse(readFileSync(join(folder, 'cancel.json'), 'utf8')) as Partial<AttemptCancel>;
    return reason === 'superseded' ? 'superseded' : 'cancelled';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    // Somebody asks for an end in words that are not understood, or is still writing them: the wish is clear.
    return 'cancelled';
  }
}
