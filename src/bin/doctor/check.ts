/** `warning`: takt works, but not all of it; `broken`: something that every use needs. */
export type CheckState = 'ok' | 'warning' | 'broken' | 'absent';

export interface CheckResult {
  readonly name: string;
  readonly state: CheckState;
  /** What was found. */
  readonly found: string;
  /** What to do; empty if nothing. */
  readonly fix: string;
}

/** Looks at one thing. It must not change anything, and says what it cannot find out instead of throwing. */
export type Check = () => Promise<CheckResult> | CheckResult;

export const result = (name: string, state: CheckState, found: string, fix = ''): CheckResult => ({
  name,
  state,
  found,
  fix,
});
