import { watch } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits so long, or rejects with the signal's reason. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await sleep(ms, undefined, { signal });
}

/**
 * Calls `look` at once, after each change in the folder, and at least every `everyMs`, until it gives a value.
 * The folder is watched itself, not what lies below: a recursive watch on Linux misses files that are replaced.
 */
export async function watchUntil<Value>(
  folder: string,
  look: () => Promise<Value | undefined>,
  options: { signal: AbortSignal; everyMs: number },
): Promise<Value> {
  let changed: (() => void) | undefined;
  const watcher = watch(folder, () => changed?.());
  // A watch that breaks (the folder is gone, the system's limit is reached) leaves the interval in charge.
  watcher.on('error', () => watcher.close());
  try {
    for (;;) {
      options.signal.throwIfAborted();
      const next = new Promise<void>((resolve) => {
        changed = resolve;
      });
      const value = await look();
      if (value !== undefined) return value;
      const timer = new AbortController();
      try {
        await Promise.race([
          next,
          sleep(options.everyMs, undefined, { signal: AbortSignal.any([options.signal, timer.signal]) }),
        ]);
      } finally {
        timer.abort();
      }
    }
  } finally {
    watcher.close();
  }
}
