import { availableParallelism, freemem } from 'node:os';
import type { Settings } from '../../contract/settings.ts';

const DEFAULT_LIMIT = 4;
const GIB = 1024 ** 3;

/** How many steps may work at once: as the settings say, else the least of cores, free memory in GiB, and 4. */
export function stepsAtOnce(
  settings: Pick<Settings, 'steps_at_once'>,
  machine: { readonly cores: number; readonly freeBytes: number } = {
    cores: availableParallelism(),
    freeBytes: freemem(),
  },
): number {
  if (settings.steps_at_once !== undefined) return settings.steps_at_once;
  return Math.max(1, Math.min(machine.cores, Math.floor(machine.freeBytes / GIB), DEFAULT_LIMIT));
}
