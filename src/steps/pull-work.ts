import { dirname } from 'node:path';
import type { AttemptOutcome, AttemptWork } from '../contract/attempt.ts';
import { Fault } from '../contract/faults.ts';
import { gitEnvironment } from '../git/git.ts';
import { pushOrder } from '../git/push-order.ts';
import { type GhCaller, ghEnvironment } from '../github/gh-api.ts';
import { openPulls, type PlacedPull, placePulls, type WantedPull } from '../github/open-pulls.ts';
import { rulesOf } from '../github/pull-calls.ts';
import { nameOf } from '../github/pull-text.ts';
import type { AttemptDesk } from './attempt-desk.ts';
import { pushCommits, pushFailed } from './push-work.ts';
import { endedWork, failedWork, passedWork, type WorkResult } from './work-result.ts';

type ScriptWork = Extract<AttemptWork, { kind: 'script' }>;
type Pulls = AttemptOutcome['pulls'];

/**
 * The step create_pr: pushes what upstream lacks, then opens a pull request per changed repo, those first that others
 * need. Whether that can be done at all is found out before anything goes out.
 */
export async function runPullWork(desk: AttemptDesk, work: ScriptWork): Promise<WorkResult> {
  const { request, output, signal } = desk;
  if (work.pulls.length === 0) return passedWork('No repo has commits that upstream’s default branch lacks.');
  const caller: GhCaller = { env: ghEnvironment(process.env), signal };
  const opened = new Map<string, Pulls[number]>();
  let pushed: AttemptOutcome['pushed'] = [];
  try {
    const { env } = gitEnvironment(process.env, { interactive: false });
    const finding = { folder: dirname(request.repos[0]!.rootFolder), env, signal };
    const placed = await placePulls(wantedPulls(desk, work), request.workspace, { finding, caller });
    const merged = placed.filter(({ isMerged }) => isMerged).map(({ wanted }) => wanted.repo);
    const went = await pushCommits(
      desk,
      work.pushes.filter(({ repo }) => !merged.includes(repo)),
    );
    pushed = went.pushed;
    if (went.stopped === 'ended') return { ...endedWork, pushed };
    if (went.stopped !== null)
      return { ...pushFailed(desk, await whyRejected(went.stopped, placed, request.workspace, caller)), pushed };
    await openPulls(placed, {
      ...caller,
      onOpened: (pull) => opened.set(pull.repo, pull),
      note: (sentence) => output.note(sentence),
    });
    const pulls = [...opened.values()];
    return { ...passedWork(summaryOf(pulls)), pushed, pulls };
  } catch (error) {
    const pulls = [...opened.values()];
    if (signal.aborted) return { ...endedWork, pushed, pulls };
    if (!(error instanceof Fault)) throw error;
    output.note([error.message, error.detail, error.hint].filter((text) => text !== undefined).join('\n'));
    return { ...failedWork({ class: 'upstream', sentence: `${error.message} ${error.hint}` }), pushed, pulls };
  }
}

/** In the order in which they are to be merged. */
function wantedPulls({ request }: AttemptDesk, { pulls }: ScriptWork): WantedPull[] {
  return pushOrder(request.repos).flatMap((repo) => {
    const pull = pulls.find((each) => each.repo === repo);
    const place = request.repos.find(({ name }) => name === repo);
    if (pull === undefined || place === undefined) return [];
    const { upstream, pushUrl, defaultBranch } = place;
    return [{ ...pull, upstream, pushUrl, defaultBranch }];
  });
}

/** git says in prose only that rules of the repository were in the way, so GitHub is asked whether there are any. */
async function whyRejected(
  stopped: { repo: string; fault: Fault },
  placed: readonly PlacedPull[],
  branch: string,
  caller: GhCaller,
): Promise<{ repo: string; fault: Fault }> {
  const target = placed.find(({ wanted }) => wanted.repo === stopped.repo);
  if (stopped.fault.code !== 'PUSH_REJECTED' || target === undefined) return stopped;
  const place = { ...target.place, owner: target.head.owner, name: target.head.name };
  const rules = await rulesOf(place, branch, caller).catch((error: unknown) => {
    caller.signal.throwIfAborted();
    // The push was refused, whatever there is to know of the rules.
    if (error instanceof Fault) return [];
    throw error;
  });
  if (rules.length === 0) return stopped;
  const detail = stopped.fault.detail === undefined ? {} : { detail: stopped.fault.detail };
  const sentence = `${nameOf(place)} did not take the push of ${branch}; it has rules for that branch (${rules.join(', ')}), which may be why.`;
  return { repo: stopped.repo, fault: new Fault('BRANCH_PROTECTED', sentence, { ...detail, cause: stopped.fault }) };
}

function summaryOf(pulls: Pulls): string {
  if (pulls.length === 0) return 'There is nothing to merge.';
  const lines = pulls.map(({ place, number, url, isDraft, state }) => {
    const kind = state === 'merged' ? ' (merged)' : isDraft ? ' (draft)' : '';
    return `${nameOf(place)}#${number}${kind}: ${url}`;
  });
  return ['Pull requests, in the order of merging:', ...lines].join('\n');
}
