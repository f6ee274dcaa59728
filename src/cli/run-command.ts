import { jsonText } from './clean-text.ts';
import type { Client } from '../client/client.ts';
import { Fault, faults } from '../contract/faults.ts';
import type { Command, CommandTable } from '../grammar/command-table.ts';
import type { Flags, Params } from '../grammar/parse-line.ts';
import { connect } from './connect.ts';
import type { LoadLocalCommand } from './local-call.ts';
import { placeOf } from './place.ts';
import { printReply } from './print/print-reply.ts';
import type { Terminal } from './terminal.ts';
import { withWholePath } from './upstream-path.ts';

interface Line {
  readonly command: Command;
  readonly params: Params;
  readonly flags: Flags;
}

interface Surroundings {
  readonly table: CommandTable;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly loadLocalCommand: LoadLocalCommand;
}

/** Operations of the service that the command line does in its own way. */
const ownWays = ['service.stop', 'repo.add'];
/** Questions about the service itself, which do not start it. */
const neverStarts = ['service.status', 'job.list', 'job.cancel'];

/** Carries out one command and gives the exit code. */
export async function runCommand(line: Line, surroundings: Surroundings): Promise<number> {
  try {
    return await carryOut(line, surroundings);
  } catch (error) {
    if (!surroundings.signal.aborted) throw error;
    // Ctrl-C is how following ends, and nothing is left to say.
    if (line.command.kind === 'stream') return faults.CANCELLED.exitCode;
    throw new Fault('CANCELLED', 'Interrupted.', { hint: afterInterruption(line), cause: error });
  }
}

function afterInterruption({ command, params }: Line): string {
  if (command.kind === 'job')
    return 'The service was told to stop it: it was done whole or not at all, and `takt job list` says which.';
  if (params['wait'] === true) return 'A run that was started goes on; `takt run cancel RUN` ends it.';
  return command.kind === 'call' && command.http.method !== 'GET'
    ? 'The service may have done it already; look before you repeat it.'
    : '';
}

async function carryOut(line: Line, { table, terminal, signal, loadLocalCommand }: Surroundings): Promise<number> {
  const { command, flags } = line;
  const place = placeOf(process.env, flags.home);
  const open = ({ start } = { start: true }): Client =>
    connect(place, { start: start && !neverStarts.includes(command.name), terminal });
  if (command.kind === 'local' || ownWays.includes(command.name)) {
    const run = await loadLocalCommand(command.name);
    return run({ params: line.params, flags, place, table, terminal, signal, connect: open });
  }
  const typed = place.address.kind === 'socket' ? withWholePath(line.params, command) : line.params;
  const params = await readFileOption(typed, command, signal);
  const connected = { client: open(), patientClient: open({ start: false }), table, terminal, signal };
  if (!command.isDangerous || flags.yes) return perform({ ...line, params }, connected);
  const { confirm } = await import('./confirm.ts');
  const confirmed = await confirm(command, params, { ...connected, isJson: flags.json });
  return confirmed === undefined ? 1 : perform({ ...line, params: confirmed }, connected);
}

async function readFileOption(params: Params, command: Command, signal: AbortSignal): Promise<Params> {
  if (typeof params['file'] !== 'string') return params;
  const { withFileText } = await import('./file-option.ts');
  return withFileText(params, command, signal);
}

interface Connected {
  readonly client: Client;
  /** Does not start the service. */
  readonly patientClient: Client;
  readonly table: CommandTable;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

async function perform(line: Line, connected: Connected): Promise<number> {
  const { command, params, flags } = line;
  switch (command.kind) {
    case 'stream':
      return printStream(line, connected);
    case 'job':
      return performJob(line, connected);
    case 'call': {
      const { client, terminal, signal } = connected;
      const reply = await client.call(command, withoutOwnOptions(params), { signal });
      if (params['wait'] === true) {
        const { waitForRun } = await import('./wait-for-run.ts');
        return waitForRun((reply as { run: string }).run, { ...connected, isJson: flags.json });
      }
      await terminal.write(flags.json ? asJson(reply) : await printReply(command, reply, params, terminal.page));
      return 0;
    }
    case 'local':
      throw new Fault('INTERNAL', `${command.name} is not for the service.`);
  }
}

/** What only this side understands stays here. */
function withoutOwnOptions(params: Params): Params {
  const { wait: _, ...rest } = params;
  return rest;
}

interface JobSurroundings extends Pick<Connected, 'client' | 'terminal' | 'signal'> {
  /** Called at each step that the job tells of. */
  readonly onProgress?: () => void;
}

/** Has the service do something long, shows how far it is, and prints the reply. Gives the exit code. */
export async function performJob(
  { command, params, flags }: Line,
  { client, terminal, signal, onProgress }: JobSurroundings,
): Promise<number> {
  const { progressPrinter } = await import('./progress.ts');
  using progress = progressPrinter(terminal, flags.json);
  const reply = await client.job(command, params, {
    signal,
    onProgress: (step) => {
      progress.show(step);
      onProgress?.();
    },
  });
  progress.clear();
  await terminal.write(flags.json ? asJson(reply) : await printReply(command, reply, params, terminal.page));
  return jobExitCode(reply);
}

/** Work on several repos replies even if some failed or were refused; the exit code has to say so. */
function jobExitCode(reply: unknown): number {
  const results = (reply as { results?: { fault?: unknown; state?: unknown }[] } | null)?.results ?? [];
  if (results.some(({ fault }) => fault !== undefined && fault !== null)) return faults.UPSTREAM_UNREACHABLE.exitCode;
  return results.some(({ state }) => state === 'refused') ? faults.WORKTREE_DIVERGED.exitCode : 0;
}

async function printStream({ command, params, flags }: Line, connected: Connected): Promise<number> {
  if (command.name === 'event.stream') {
    const { printEvents } = await import('./print-events.ts');
    return printEvents(command, params, connected);
  }
  const { printOutput } = await import('./print-output.ts');
  return printOutput(command, params, { ...connected, isJson: flags.json });
}

const asJson = (reply: unknown): string => `${jsonText(reply, 2)}\n`;
