import { rm } from 'node:fs/promises';
import { pause } from '../../platform/wait.ts';
import type { Commands } from './commands.ts';

const RUN_ENDS_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 100;
const OVER = ['passed', 'failed', 'cancelled', 'superseded', 'rejected'];

/**
 * Ends the run of the demo, if there is one that goes on: the work of a run outlives the service by design. The commands
 * start a service that an interruption caught at its start, so that the stop that follows finds it.
 */
export async function endRun(commands: Commands, folder: string, workspace: string): Promise<void> {
  const endsAtMs = Date.now() + RUN_ENDS_WITHIN_MS;
  const { code } = await commands.quietTakt(folder, 'run', 'cancel', workspace, '--yes');
  if (code !== 0) return;
  while (Date.now() < endsAtMs) {
    const shown = await commands.quietTakt(folder, 'run', 'show', workspace, '--json');
    if (shown.code !== 0 || OVER.includes((JSON.parse(shown.stdout) as { state: string }).state)) return;
    await pause(LOOK_EVERY_MS, AbortSignal.timeout(RUN_ENDS_WITHIN_MS));
  }
}

/** Removes the demo's folder; processes that just ended may still let go of files. */
export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
