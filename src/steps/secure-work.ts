import { existsSync } from 'node:fs';
import type { AttemptOutcome, AttemptRequest } from '../contract/attempt.ts';
import { Fault } from '../contract/faults.ts';
import type { RepoOutcome } from '../contract/run.ts';
import type { Walls } from '../confinement/walls.ts';
import type { AttemptDesk, WalledDesk } from './attempt-desk.ts';
import type { Collected } from './collect-work.ts';
import { isMerge } from './has-walls.ts';
import { stageResultPath, writeStageResult } from './run-folder.ts';
import { reasonOf, type Settled } from './settle-attempt.ts';
import type { WorkResult } from './work-result.ts';

/** Taking the commits out has a limit of its own, since it runs after the attempt's own limits have struck. */
const COLLECT_LIMIT_MS = 100_000;

/**
 * Brings what the work left into safety and gives the attempt's final state: only now is it known whether a step that
 * has to change something did. Commits that cannot be taken out turn a passed attempt into a failed one.
 */
export async function secureWork(
  desk: AttemptDesk,
  walls: Walls | undefined,
  settled: Settled,
  work: WorkResult,
): Promise<Settled & Pick<AttemptOutcome, 'repos'>> {
  const { request, output } = desk;
  const hasWorktrees = request.work.kind !== 'setup' && work.isUntouched !== true;
  const isPassed = settled.state === 'passed';
  if (walls === undefined || !hasWorktrees) return { ...settled, repos: untouchedRepos(request) };
  if (!existsSync(request.runFolder)) {
    const gone = isPassed ? folderGone(request) : settled;
    return { ...gone, repos: untouchedRepos(request) };
  }
  const signal = AbortSignal.timeout(COLLECT_LIMIT_MS);
  const { repos, fault } = await bringOut({ ...desk, walls, signal }, work, isPassed).catch(
    (error: unknown): Collected => ({ repos: untouchedRepos(request), fault: faultOf(error) }),
  );
  if (fault !== null) {
    const sentence = `${fault.message} The work is kept in ${request.runFolder}.`;
    output.note([sentence, fault.detail].filter((text) => text !== undefined).join('\n'));
    // The class tells the service never to clear this folder away; why the work ended is said first.
    const reason = { class: reasonOf(fault).class, sentence: [settled.reason?.sentence, sentence].join(' ').trim() };
    return { state: isPassed ? 'failed' : settled.state, reason, repos };
  }
  if (!isPassed || !request.needsChange || repos.some(({ head }) => head !== null)) return { ...settled, repos };
  return {
    state: 'unverified',
    reason: { class: 'no_change', sentence: 'It passed and left no commit, which this step has to.' },
    repos,
  };
}

/** Of a merge, what did not come to its end goes back first; it commits nothing but what it merged. */
async function bringOut(desk: WalledDesk, work: WorkResult, isPassed: boolean): Promise<Collected> {
  const { request } = desk;
  const isOfMerge = isMerge(request.work);
  if (isOfMerge && !isPassed) await (await import('./merge-upstream.ts')).takeBackMerge(desk);
  const { collectWork } = await import('./collect-work.ts');
  return collectWork(desk, untouchedRepos(request), {
    commitLeftovers: isPassed && !isOfMerge,
    message: commitMessage(request, work),
    ...(work.known === undefined ? {} : { known: work.known }),
  });
}

/** Whatever went wrong on the way out, the work is still in its folder, and the attempt ends with its own words. */
function faultOf(error: unknown): Fault {
  return error instanceof Fault ? error : new Fault('GIT_FAILED', reasonOf(error).sentence, { cause: error });
}

/** Somebody removed the folder while the work went on, and whatever the work made there is gone with it. */
function folderGone({ runFolder }: AttemptRequest): Settled {
  const sentence = `The run's folder ${runFolder} was removed while the step worked there; what it made is lost.`;
  return { state: 'broken', reason: { class: 'internal', sentence } };
}

/** What an attempt leaves in each edit repo if it left nothing. */
function untouchedRepos({ repos }: AttemptRequest): RepoOutcome[] {
  return repos
    .filter(({ role }) => role === 'edit')
    .map(({ name, commit }) => ({ repo: name, start: commit, head: null, leftover: null }));
}

function commitMessage({ step, workspace, runNumber, number }: AttemptRequest, { result }: WorkResult): string {
  const subject = `${step}: ${result?.summary.split('\n', 1)[0] ?? 'work of an attempt'}`;
  return `${subject.slice(0, 72).trimEnd()}\n\nRun ${runNumber} of ${workspace}, attempt ${number}.\n`;
}

/** Writes the stage result where the next steps and people find it; the outcome has it anyway. */
export function keepResult(
  { request, output }: AttemptDesk,
  { user }: Walls,
  result: NonNullable<WorkResult['result']>,
): void {
  try {
    writeStageResult(request.runFolder, stageResultPath(request.step, request.number), result, user);
  } catch (error) {
    // The folder is the work's, which may have made it impossible to write there.
    if (!['EACCES', 'EPERM', 'ENOENT', 'ENOSPC', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw error;
    output.note('The stage result could not be written into the run’s folder.');
  }
}
