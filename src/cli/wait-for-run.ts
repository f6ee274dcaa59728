import { jsonText } from './clean-text.ts';
import type { Client } from '../client/client.ts';
import { faults } from '../contract/faults.ts';
import type { Run } from '../contract/run.ts';
import { commandNamed, type CommandTable } from '../grammar/command-table.ts';
import { outlastRestart } from './outlast-restart.ts';
import { changesBetween } from './print/run-changes.ts';
import { isFinal } from './print/states.ts';
import type { Terminal } from './terminal.ts';

interface Waiting {
  /** Does not start the service: while somebody waits, another may stop it on purpose. */
  readonly patientClient: Client;
  readonly table: CommandTable;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly isJson: boolean;
}

/**
 * Prints the steps of a run as they begin and end, until it is over or waits for a person; with JSON only the run as it
 * is then. Gives the exit code: 0 passed, 3 waits, 1 else.
 */
export async function waitForRun(
  run: string,
  { patientClient, table, terminal, signal, isJson }: Waiting,
): Promise<number> {
  const show = commandNamed(table, 'run.show');
  const events = commandNamed(table, 'event.stream');
  let seen: Run | undefined;
  await outlastRestart(async (answered) => {
    const frames = patientClient.events(events, { topics: 'run.*,step.update' }, { signal });
    return lookAtEach(frames, run, async () => {
      const now = (await patientClient.call(show, { run }, { signal })) as Run;
      answered();
      if (!isJson) await terminal.write(changesBetween(seen, now, terminal.page));
      seen = now;
      return isFinal(now.state) || now.state === 'waiting';
    });
  }, signal);
  if (isJson) await terminal.write(`${jsonText(seen, 2)}\n`);
  return exitCodeOf(seen!);
}

/** Looks when the stream listens, so that nothing falls between, and then at each event of the run. */
async function lookAtEach(
  frames: ReturnType<Client['events']>,
  run: string,
  look: () => Promise<boolean>,
): Promise<boolean> {
  for await (const { event, data } of frames) {
    const concernsRun = event === 'open' || event === 'resync' || data.includes(run);
    if (concernsRun && (await look())) return true;
  }
  return false;
}

function exitCodeOf(run: Run): number {
  if (run.state === 'passed') return 0;
  return run.state === 'waiting' ? faults.RUN_WAITS.exitCode : faults.RUN_FAILED.exitCode;
}
