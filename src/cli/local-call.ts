import type { Client } from '../client/client.ts';
import type { CommandTable } from '../grammar/command-table.ts';
import type { Flags, Params } from '../grammar/parse-line.ts';
import type { Place } from './place.ts';
import type { Terminal } from './terminal.ts';

/** What a command is given that it carries out on this machine itself. */
export interface LocalCall {
  readonly params: Params;
  readonly flags: Flags;
  readonly place: Place;
  readonly table: CommandTable;
  readonly terminal: Terminal;
  /** Aborted by Ctrl-C; its reason is a CANCELLED fault. */
  readonly signal: AbortSignal;
  /** A client that starts the service if need be, unless `start` is false. */
  connect(options?: { start: boolean }): Client;
}

/** Carries out a local command and gives the exit code; what stops it is thrown as a fault. */
export type LocalCommand = (call: LocalCall) => Promise<number>;

/** Loads the code of a local command, by the name of its operation. */
export type LoadLocalCommand = (name: string) => Promise<LocalCommand>;
