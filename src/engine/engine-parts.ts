import type { OutputGrew } from '../contract/events.ts';
import type { Database } from '../store/database.ts';

/** What the engine is made of; it knows nothing of who gives it. */
export interface SpoolEngineParts {
  readonly database: Database;
  /** Folder that holds the spool folders of attempts. */
  readonly spool: string;
  /** Program and first arguments of a step host; the spool folder comes last. */
  readonly hostCommand: readonly string[];
  /** After each commit that appended events. */
  readonly wake: () => void;
  readonly outputGrew: (frame: OutputGrew) => void;
  readonly log: (sentence: string, cause?: unknown) => void;
  /** Called at named moments, so that a test can end the process there. */
  readonly debugPoint?: ((name: string) => void) | undefined;
}
