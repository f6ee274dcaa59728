import type { Client } from '../client/client.ts';
import { Fault, faults } from '../contract/faults.ts';
import type { Run } from '../contract/run.ts';
import type { Workspace } from '../contract/workspace.ts';
import { commandNamed, type Command, type CommandTable } from '../grammar/command-table.ts';
import type { Params } from '../grammar/parse-line.ts';
import { shortCommit } from './print/figures.ts';
import type { Terminal } from './terminal.ts';

interface Asking {
  readonly client: Client;
  readonly table: CommandTable;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly isJson: boolean;
}

/**
 * Asks before something that cannot be taken back. Gives the params to go on with, or undefined if the answer is no;
 * without a terminal to ask on, CONFIRMATION_NEEDED. What is not there is said before anybody is asked. What was shown to the person is what is then asked for: an
 * approval names the commits.
 */
export async function confirm(command: Command, params: Params, asking: Asking): Promise<Params | undefined> {
  const { client, table, terminal, signal, isJson } = asking;
  await requireNamed(params, asking);
  if (!terminal.canAsk || isJson)
    throw new Fault('CONFIRMATION_NEEDED', `This ${effectOf(command, params)}, and nobody can be asked here.`);
  if (command.name !== 'run.approve' || params['commits'] !== undefined) {
    terminal.writeError(`This ${effectOf(command, params)}.\n`);
    return (await isConfirmed('Do it?', { terminal, signal })) ? params : undefined;
  }
  const run = (await client.call(commandNamed(table, 'run.show'), { run: params['run'] }, { signal })) as Run;
  const changed = run.repos.filter(({ head, start, role }) => role === 'edit' && head !== start);
  const lines = changed.map(({ repo, start, head }) => `  ${repo}  ${shortCommit(start)} → ${shortCommit(head)}\n`);
  terminal.writeError(
    `This lets ${run.workspace}/${run.number} go on with ${lines.length === 0 ? 'no new commits.\n' : `these commits:\n${lines.join('')}`}`,
  );
  const commits = Object.fromEntries(
    run.repos.filter(({ role }) => role === 'edit').map(({ repo, head }) => [repo, head]),
  );
  return (await isConfirmed('Do it?', { terminal, signal })) ? { ...params, run: run.id, commits } : undefined;
}

/** What is wrong with the names or with the service, by exit code; all else may be why somebody removes the thing. */
const STOPS_ASKING: readonly number[] = [
  faults.INPUT_INVALID.exitCode,
  faults.REPO_NOT_FOUND.exitCode,
  faults.SERVICE_UNREACHABLE.exitCode,
];

/** Faults as the service would if the run, workspace or repo that the command names is not there. */
async function requireNamed(params: Params, { client, table, signal }: Asking): Promise<void> {
  const noun = ['run', 'workspace', 'repo'].find((param) => params[param] !== undefined);
  if (noun === undefined) return;
  try {
    const shown = await client.call(commandNamed(table, `${noun}.show`), { [noun]: params[noun] }, { signal });
    if (noun !== 'workspace' || typeof params['repo'] !== 'string') return;
    const { name: workspace, repos } = shown as Workspace;
    if (repos.some(({ name }) => name === params['repo'])) return;
    throw new Fault('REPO_NOT_FOUND', `The workspace ${workspace} has no repo ${params['repo']}.`, {
      hint: '`takt workspace show` lists its repos.',
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Fault && !STOPS_ASKING.includes(faults[error.code].exitCode)) return;
    throw error;
  }
}

/** True for y or yes. */
export async function isConfirmed(
  question: string,
  { terminal, signal }: { terminal: Terminal; signal: AbortSignal },
): Promise<boolean> {
  const answer = await terminal.ask(`${question} [y/N] `, signal);
  if (/^y(es)?$/i.test(answer?.trim() ?? '')) return true;
  terminal.writeError('Nothing was done.\n');
  return false;
}

/** What happens, as the rest of a sentence that begins with `This`. */
function effectOf(command: Command, params: Params): string {
  const named = (param: string): string => (typeof params[param] === 'string' ? params[param] : '');
  const unsaved =
    params['force'] === true
      ? '; work that is nowhere else is pinned or moved aside first'
      : '; work that is nowhere else stops it';
  const effects: Record<string, () => string> = {
    'repo.remove': () =>
      `removes the root repo ${named('repo')} from this home (its upstream stays as it is)${params['force'] === true ? ', with work in it that upstream lacks' : ''}`,
    'workspace.remove-repo': () =>
      `removes ${named('repo')} and its clone from the workspace ${named('workspace')}${unsaved}`,
    'workspace.delete': () =>
      `deletes the workspace ${named('workspace')} with its clones and its branch in the root repos${unsaved}`,
    'run.land': () => `brings the commits of run ${named('run')} onto its workspace’s branch, merging where needed`,
    'run.approve': () => `lets run ${named('run')} go on`,
  };
  return effects[command.name]?.() ?? `cannot be taken back (${command.summary})`;
}
