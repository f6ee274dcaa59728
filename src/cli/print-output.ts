import type { Client } from '../client/client.ts';
import type { OutputLine } from '../contract/output.ts';
import type { Command } from '../grammar/command-table.ts';
import type { Params } from '../grammar/parse-line.ts';
import { outputPrinter } from './print/output.ts';
import type { Terminal } from './terminal.ts';

/** A line of the stream: where it belongs, and what was said. */
export interface StepOutput {
  readonly step: string;
  readonly attempt: string;
  readonly offset: number;
  readonly line: OutputLine;
}

interface Reading {
  readonly client: Client;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly isJson: boolean;
}

/** Prints the output of a run as it comes: for people, or line by line as the service sends it. */
export async function printOutput(
  command: Command,
  params: Params,
  { client, terminal, signal, isJson }: Reading,
): Promise<number> {
  const print = outputPrinter(terminal.page);
  let isEmpty = true;
  for await (const line of client.stream(command, params, { signal })) {
    isEmpty = false;
    await terminal.write(isJson ? `${JSON.stringify(line)}\n` : print.next(line as StepOutput));
  }
  if (!isJson) await terminal.write(print.end());
  if (isEmpty && !isJson) terminal.writeError('There is no output yet.\n');
  return 0;
}
