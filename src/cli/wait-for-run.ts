import type { Client } from '../client/client.ts';
import { Fault, faults } from '../contract/faults.ts';
import type { Run } from '../contract/run.ts';
import { commandNamed, type CommandTable } from '../grammar/command-table.ts';
import { pause } from '../platform/wait.ts';
import { changesBetween } from './print/run-changes.ts';
import { isFinal } from './print/states.ts';
import type { Terminal } from './terminal.ts';

interface Waiting {
  readonly client: Client;
  readonly table: CommandTable;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly isJson: boolean;
}

/** A service that is being restarted has to be back within this. */
const AWAY_LIMIT_MS = 60_000;
const TRY_AGAIN_MS = 500;

/**
 * Prints the steps of a run as they begin and end, until it is over or waits for a person; with JSON only the run as it
 * is then. Gives the exit code: 0 passed, 3 waits, 1 else.
 */
export async function waitForRun(run: string, { client, table, terminal, signal, isJson }: Waiting): Promise<number> {
  const show = commandNamed(table, 'run.show');
  const events = commandNamed(table, 'event.stream');
  let seen: Run | undefined;
  let lastAnswerMs = Date.now();
  const look = async (): Promise<boolean> => {
    const now = (await client.call(show, { run }, { signal })) as Run;
    lastAnswerMs = Date.now();
    if (!isJson) await terminal.write(changesBetween(seen, now, terminal.page));
    seen = now;
    return isFinal(now.state) || now.state === 'waiting';
  };
  for (;;) {
    try {
      if (await lookAtEach(client.events(events, { topics: 'run.*,step.update' }, { signal }), run, look)) break;
    } catch (error) {
      if (
        !(error instanceof Fault && error.code === 'SERVICE_UNREACHABLE' && Date.now() - lastAnswerMs < AWAY_LIMIT_MS)
      )
        throw error;
    }
    await pause(TRY_AGAIN_MS, signal);
  }
  if (isJson) await terminal.write(`${JSON.stringify(seen, null, 2)}\n`);
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
