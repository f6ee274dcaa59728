import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CommitId } from '../../contract/ids.ts';
import type { PullToOpen } from '../../contract/pull-request.ts';
import type { StageResult } from '../../contract/stage-result.ts';
import { git, linesOf } from '../../git/git.ts';
import { isHeldByAny } from '../../git/history.ts';
import { refCommit } from '../../git/refs.ts';
import { UPSTREAM_REFS } from '../../git/root-repo.ts';
import { attemptsOfRun } from '../../store/attempts.ts';
import type { Database } from '../../store/database.ts';
import { mergedHeads } from '../../store/pull-requests.ts';
import { rootOf } from '../../store/roots.ts';
import { runRepos } from '../../store/run-repos.ts';
import type { RunSnapshot, StoredRun } from '../../store/runs.ts';
import { findWorkspace } from '../../store/workspaces.ts';
import { textIfThere } from '../guidance/text-if-there.ts';
import type { Desk } from './desk-parts.ts';
import { pullTexts } from './pull-texts.ts';

type Ground = Pick<Desk, 'database' | 'layout'> & { readonly signal: AbortSignal };
type ChangedRepo = { readonly repo: PullToOpen['repo']; readonly commit: CommitId };

const SUBJECTS_SHOWN = 30;

/** The pull requests of a run: one for each edit repo that holds commits which upstream's default branch lacks. */
export async function planPulls(desk: Desk, run: StoredRun, { settings }: RunSnapshot): Promise<PullToOpen[]> {
  const repos = runRepos(desk.database, run.id).filter(({ role }) => role === 'edit');
  return pullsFor(desk, {
    workspace: run.workspace,
    repos: repos.map(({ repo, head }) => ({ repo, commit: head })),
    results: resultsOf(desk.database, run),
    isDraft: settings.pull_requests.draft,
  });
}

/** Of these repos, those that have something to be merged, with title and text from the task and the stage results. */
export async function pullsFor(
  ground: Ground,
  given: {
    readonly workspace: string;
    readonly repos: readonly ChangedRepo[];
    readonly results: readonly { readonly step: string; readonly result: StageResult }[];
    readonly isDraft: boolean;
  },
): Promise<PullToOpen[]> {
  const { workspace, results, isDraft } = given;
  const template = pullTemplate(ground);
  const task = findWorkspace(ground.database, workspace)?.task ?? null;
  const pulls: PullToOpen[] = [];
  for (const { repo, commit } of given.repos) {
    const folder = ground.layout.root(repo);
    const trunk = await trunkOf(ground, repo);
    const merged = mergedHeads(ground.database, workspace, repo);
    // A merged one is named among its siblings, if GitHub still shows it.
    if (await isHeldByAny(folder, commit, [trunk], ground)) continue;
    if (merged.length > 0 && !merged.includes(commit) && (await isHeldByAny(folder, commit, merged, ground))) continue;
    const range = [commit, ...(trunk === null ? [] : [`^${trunk}`]), '--'];
    const commits = Number(await git(folder, ['rev-list', '--count', '--no-merges', ...range], ground));
    const log = [
      'log',
      '--no-show-signature',
      '--no-color',
      '--no-merges',
      `--max-count=${SUBJECTS_SHOWN}`,
      '--format=%s',
    ];
    const subjects = linesOf(await git(folder, [...log, ...range], ground));
    const texts = pullTexts(template, { workspace, repo, task, subjects, commits, results });
    pulls.push({ repo, commit, isDraft, ...texts });
  }
  return pulls;
}

/** What the steps of a run said last, takt's own scripts left out. */
export function resultsOf(database: Database, run: StoredRun): { step: string; result: StageResult }[] {
  const telling = run.pipeline.steps.filter(({ kind }) => kind === 'agent' || kind === 'command');
  const attempts = attemptsOfRun(database, run.id);
  return telling.flatMap(({ name }) => {
    const result = attempts.findLast(({ step, isSalvage }) => step === name && !isSalvage)?.result ?? null;
    return result === null ? [] : [{ step: name, result }];
  });
}

async function trunkOf({ database, layout, signal }: Ground, repo: string): Promise<CommitId | null> {
  const { defaultBranch } = rootOf(database, repo);
  const folder = layout.root(repo);
  return (
    (await refCommit(folder, UPSTREAM_REFS + defaultBranch, { signal })) ??
    (await refCommit(folder, `refs/heads/${defaultBranch}`, { signal }))
  );
}

/** The home's own; one that was made before there were pull requests gets takt's. */
function pullTemplate({ layout }: Ground): string {
  const name = 'pull_request.md';
  const shipped = join(import.meta.dirname, '..', '..', '..', 'templates', name);
  return textIfThere(join(layout.templates, name)) ?? readFileSync(shipped, 'utf8');
}
