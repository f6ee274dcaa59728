import { Fault } from '../../contract/faults.ts';
import { faultOfSystemError } from '../../contract/system-fault.ts';
import type { CheckResult } from './check.ts';

/** What was done about a check's finding, or why it could not be. */
export interface Repaired {
  readonly name: string;
  readonly did: string | null;
  readonly failed: string | null;
}

/** Mends what can be mended, one after the other, since some of it needs the home's lock. */
export async function repairAll(results: readonly CheckResult[], signal: AbortSignal): Promise<Repaired[]> {
  const repaired: Repaired[] = [];
  for (const { name, repair } of results) {
    if (repair === undefined) continue;
    signal.throwIfAborted();
    try {
      const did = await repair(signal);
      if (did !== undefined) repaired.push({ name, did, failed: null });
    } catch (error) {
      signal.throwIfAborted();
      // Whatever went wrong with one, the report and the other repairs are worth as much.
      const fault = error instanceof Fault ? error : faultOfSystemError(error);
      const why = fault?.message ?? (error instanceof Error ? error.message : String(error));
      repaired.push({ name, did: null, failed: why });
    }
  }
  return repaired;
}
