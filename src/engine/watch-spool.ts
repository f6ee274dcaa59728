import { watch } from 'node:fs';
import type { LiveAttempt } from './live-attempt.ts';

/** Watches an attempt's folder, and no longer the one that it had before. Only a hint: the regular look finds all. */
export function watchSpool(live: LiveAttempt, on: { readonly grew: () => void; readonly changed: () => void }): void {
  live.watcher?.close();
  live.watcher = undefined;
  try {
    live.watcher = watch(live.folder, (_event, name) => {
      live.lastSignMs = Date.now();
      if (name === 'output.ndjson') on.grew();
      else on.changed();
    });
  } catch (error) {
    // Too many watches on this machine, or no folder any more: the regular look finds what changes.
    if (!['ENOSPC', 'EMFILE', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return;
  }
  live.watcher.on('error', () => live.watcher?.close());
}
