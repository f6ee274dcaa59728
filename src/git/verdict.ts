import type { FaultCode } from '../contract/faults.ts';

/** A call of an upstream that failed, as the second looks at it need it. */
export interface Judged {
  readonly folder: string;
  readonly upstream: string;
  /** What git printed; shown, and judged only where nothing else tells. */
  readonly words: string;
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string>>;
}

/** What is said of it. */
export interface Verdict {
  readonly code: FaultCode;
  readonly message: string;
  readonly hint?: string;
}
