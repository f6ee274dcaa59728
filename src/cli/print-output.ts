import { jsonText } from './clean-text.ts';
import type { Client } from '../client/client.ts';
import type { OutputLine } from '../contract/output.ts';
import type { Run } from '../contract/run.ts';
import { commandNamed, type Command, type CommandTable } from '../grammar/command-table.ts';
import type { Params } from '../grammar/parse-line.ts';
import { outlastRestart } from './outlast-restart.ts';
import { outputPrinter } from './print/output.ts';
import { isFinal } from './print/states.ts';
import type { Terminal } from './terminal.ts';

/** A line of the stream: where it belongs, where the next one begins, and what was said. */
export interface StepOutput {
  readonly step: string;
  readonly attempt: string;
  readonly offset: number;
  readonly line: OutputLine;
}

interface Reading {
  readonly client: Client;
  /** For going on after a restart: does not start the service, as somebody may have stopped it on purpose. */
  readonly patientClient: Client;
  readonly table: CommandTable;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly isJson: boolean;
}

/**
 * Prints the output of a run as it comes: for people, or line by line as the service sends it. With --follow it goes on
 * after a restart of the service, where it left off.
 */
export async function printOutput(command: Command, params: Params, reading: Reading): Promise<number> {
  const { client, patientClient, terminal, signal, isJson } = reading;
  const print = outputPrinter(terminal.page);
  const seen = new Map<string, number>();
  const readFrom = async (source: Client, run: unknown, answered: () => void): Promise<void> => {
    for await (const value of source.stream(command, { ...params, run }, { signal })) {
      answered();
      const output = value as StepOutput;
      if (output.offset <= (seen.get(output.attempt) ?? -1)) continue;
      seen.set(output.attempt, output.offset);
      await terminal.write(isJson ? `${jsonText(output)}\n` : print.next(output));
    }
  };
  if (params['follow'] === true) {
    // A workspace's name means its newest run, and that may be another one by the time of a restart.
    const { id } = await runOf(client, params['run'], reading);
    let source = client;
    await outlastRestart(async (answered) => {
      const current = source;
      source = patientClient;
      await readFrom(current, id, answered);
      return isOver(await runOf(patientClient, id, reading), params['attempt']);
    }, signal);
  } else {
    await readFrom(client, params['run'], () => undefined);
  }
  if (!isJson) await terminal.write(print.end());
  if (seen.size === 0 && !isJson) terminal.writeError('There is no output yet.\n');
  return 0;
}

async function runOf(client: Client, run: unknown, { table, signal }: Reading): Promise<Run> {
  return (await client.call(commandNamed(table, 'run.show'), { run }, { signal })) as Run;
}

/** A service that stops ends the stream as the end of the run does; only the run itself tells them apart. */
function isOver(run: Run, wanted: unknown): boolean {
  const attempt = run.steps.flatMap(({ attempts }) => attempts).find(({ id }) => id === wanted);
  return attempt === undefined ? isFinal(run.state) : attempt.endedAtMs !== null;
}
