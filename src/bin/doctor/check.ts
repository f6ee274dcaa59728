import { Fault } from '../../contract/faults.ts';
import { faultOfSystemError } from '../../contract/system-fault.ts';

/** `warning`: takt works, but not all of it; `broken`: something that every use needs. */
export type CheckState = 'ok' | 'warning' | 'broken' | 'absent';

export interface CheckResult {
  readonly name: string;
  readonly state: CheckState;
  /** What was found. */
  readonly found: string;
  /** What to do; empty if nothing. */
  readonly fix: string;
  /** Missing where only a person can mend it. */
  readonly repair?: Repair;
  /** True if what was looked at did not answer in time, and may never do so. */
  readonly isLate?: boolean;
}

/**
 * Mends what was found, as it is when it is called, and says in a sentence what it did; undefined if nothing was left to
 * do. It loses nothing: what could hold somebody's work is for a person to remove.
 */
export type Repair = (signal: AbortSignal) => Promise<string | undefined>;

/** Looks at one thing. It must not change anything, and says what it cannot find out instead of throwing. */
export interface Check {
  (): Promise<CheckResult> | CheckResult;
  /** Names it while it goes on; missing where it is quick. */
  readonly label?: string;
}

export const result = (name: string, state: CheckState, found: string, fix = '', repair?: Repair): CheckResult => ({
  name,
  state,
  found,
  fix,
  ...(repair === undefined ? {} : { repair }),
});

const LIMIT_MS = 12_000;

interface Bounds {
  /** The end of the whole command. */
  readonly signal: AbortSignal;
  /** What a fault means that the look throws. */
  readonly onFault?: 'warning' | 'broken';
  readonly limitMs?: number;
}

/**
 * A check that ends in time, whatever it looks at hangs, and that turns what is thrown into what was found. The signal
 * that `look` gets ends with the limit.
 */
export function bounded(
  label: string,
  { signal, onFault = 'warning', limitMs = LIMIT_MS }: Bounds,
  look: (signal: AbortSignal) => Promise<CheckResult> | CheckResult,
): Check {
  const check = async (): Promise<CheckResult> => {
    const limit = AbortSignal.timeout(limitMs);
    const late = new Promise<CheckResult>((resolve) => {
      const found = `could not be looked at within ${Math.ceil(limitMs / 1000)} s`;
      const verdict = { ...result(label, 'warning', found), isLate: true };
      limit.addEventListener('abort', () => resolve(verdict), { once: true });
    });
    try {
      return await Promise.race([look(AbortSignal.any([signal, limit])), late]);
    } catch (error) {
      signal.throwIfAborted();
      return limit.aborted ? await late : foundFrom(label, onFault, error);
    }
  };
  return Object.assign(check, { label });
}

/** A fault says what is wrong and how to mend it; of any other error, doctor can say only that it is in the way. */
function foundFrom(label: string, onFault: 'warning' | 'broken', error: unknown): CheckResult {
  if (error instanceof Fault) {
    // One check tells what is wrong with the configuration; the others only have nothing to go by.
    return error.code === 'CONFIG_INVALID' && onFault === 'warning'
      ? result(label, 'warning', 'cannot be told while the configuration is not valid')
      : result(label, onFault, error.message, error.hint);
  }
  const fault = faultOfSystemError(error);
  if (fault !== undefined) return result(label, onFault, fault.message, fault.hint);
  return result(label, 'warning', `could not be looked at: ${error instanceof Error ? error.message : String(error)}`);
}
