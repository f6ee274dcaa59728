import type { AttemptRequest } from '../contract/attempt.ts';
import type { Walls } from '../confinement/walls.ts';
import type { OutputWriter } from './output-writer.ts';

/** What all that carries out a part of an attempt needs. */
export interface AttemptDesk {
  readonly request: AttemptRequest;
  /** The attempt's folder in the spool. */
  readonly folder: string;
  readonly output: OutputWriter;
  /** The folder with the pipes of the work; they are made beside other preparations. */
  readonly pipes: Promise<string>;
  /** Aborted when the work has to end. */
  readonly signal: AbortSignal;
}

export interface WalledDesk extends AttemptDesk {
  readonly walls: Walls;
}
