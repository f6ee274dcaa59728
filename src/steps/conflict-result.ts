import { Fault } from '../contract/faults.ts';
import type { StageResult } from '../contract/stage-result.ts';
import { type ConflictSides, conflictSides, type Deed, type Side } from '../git/conflict-sides.ts';
import { upstreamName } from '../git/fetch-branch.ts';
import type { ConflictedFile, MergedRepo } from '../git/merge-frames.ts';
import { shellWord } from '../git/shell-word.ts';
import type { WalledDesk } from './attempt-desk.ts';
import type { FetchedUpstream } from './fetch-upstreams.ts';
import { failedWork, type WorkResult } from './work-result.ts';

type Upstream = Extract<FetchedUpstream, { readonly theirs: string }>;
type Finding = StageResult['findings'][number];

/** One repo that could not be merged. No files: the two histories have no commit in common. */
interface Conflict {
  readonly upstream: Upstream;
  readonly files: readonly ConflictSides[];
}

const FINDINGS_LIMIT = 200;
const FILES_IN_SENTENCE = 3;
const MESSAGE_CHARS = 4_000;
const PATH_CHARS = 1_000;
const SUMMARY_CHARS = 8_000;

/**
 * The result of a merge that could not be made: a finding for each file, with what both sides did to it. The output ends
 * with the commands by which a person makes the merge in the workspace's clones.
 */
export async function conflictResult(
  desk: WalledDesk,
  upstreams: readonly Upstream[],
  merged: readonly MergedRepo[],
): Promise<WorkResult> {
  const conflicts: Conflict[] = [];
  for (const each of merged) {
    const upstream = upstreams.find(({ repo }) => repo.name === each.repo);
    if (upstream === undefined || 'commit' in each) continue;
    const files = each.kind === 'conflict' ? await sidesOf(desk, upstream, each.files) : [];
    conflicts.push({ upstream, files });
  }
  const sentence = conflicts.map((conflict) => sentenceOf(desk, conflict)).join(' ');
  const findings = conflicts.flatMap((conflict) => findingsOf(conflict));
  for (const { repo, file, message } of findings.slice(0, FINDINGS_LIMIT))
    desk.output.note(`${repo}${file === undefined ? '' : `: ${shownPath(file)}`}: ${message}`);
  desk.output.note(resolveWords(desk, conflicts));
  const summary = [...conflicts.map((conflict) => summaryOf(desk, conflict)), 'No branch was changed.'].join('\n');
  return {
    ...failedWork({ class: 'conflict', sentence }),
    result: { verdict: 'failed', summary: summary.slice(0, SUMMARY_CHARS), findings: limited(findings) },
  };
}

/** What cannot be told of the sides does not hide the conflict. */
async function sidesOf(
  { output, signal }: WalledDesk,
  { repo, theirs }: Upstream,
  files: readonly ConflictedFile[],
): Promise<ConflictSides[]> {
  try {
    return await conflictSides({ rootFolder: repo.rootFolder, ours: repo.commit, theirs, files, signal });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    output.note(`${repo.name}: what both sides did could not be read: ${error.message}`);
    const notKnown: Side = { deed: { kind: 'none' }, last: null };
    return files.map((file) => ({ ...file, ours: notKnown, theirs: notKnown }));
  }
}

function sentenceOf({ request }: WalledDesk, { upstream, files }: Conflict): string {
  const { name, defaultBranch } = upstream.repo;
  if (files.length === 0)
    return `${name}: ${request.workspace} and ${defaultBranch} of upstream have no commit in common.`;
  const some = somePaths(files.map(({ path }) => path));
  return `${name}: ${defaultBranch} of upstream conflicts with ${request.workspace} in ${some}.`;
}

/** The first paths of a list, for a sentence. */
export function somePaths(paths: readonly string[]): string {
  const some = paths.slice(0, FILES_IN_SENTENCE).map(shownPath);
  return `${some.join(', ')}${paths.length > some.length ? ` and ${paths.length - some.length} more` : ''}`;
}

/** A name may hold line feeds and the like, which a sentence must not. */
const shownPath = (path: string): string => (/\p{Cc}/u.test(path) ? JSON.stringify(path) : path);

function summaryOf(desk: WalledDesk, conflict: Conflict): string {
  const { repo, theirs } = conflict.upstream;
  const sides = `ours is ${desk.request.workspace} at ${repo.commit.slice(0, 12)}, theirs is ${repo.defaultBranch} of ${upstreamName(repo.upstream)} at ${theirs.slice(0, 12)}`;
  return `${sentenceOf(desk, conflict)} There, ${sides}.`;
}

function findingsOf({ upstream, files }: Conflict): Finding[] {
  const { repo, theirs } = upstream;
  if (files.length === 0) {
    const message = `Our ${repo.commit.slice(0, 12)} and their ${theirs.slice(0, 12)} have no commit in common.`;
    return [{ severity: 'error', message, repo: repo.name }];
  }
  return files.map((file) => ({
    severity: 'error',
    message: messageOf(file).slice(0, MESSAGE_CHARS),
    repo: repo.name,
    file: file.path.slice(0, PATH_CHARS),
  }));
}

/** As many findings as a result may have, the last of which says how many are left out. */
export function limited(findings: readonly Finding[]): Finding[] {
  if (findings.length <= FINDINGS_LIMIT) return [...findings];
  const left = findings.length - FINDINGS_LIMIT + 1;
  return [...findings.slice(0, FINDINGS_LIMIT - 1), { severity: 'info', message: `${left} more are not named.` }];
}

/** Where the paths of a side do not tell what it did, as with folders that were renamed, git's words do. */
function messageOf({ path, ours, theirs, words }: ConflictSides): string {
  const isUntold = ours.deed.kind === 'none' || theirs.deed.kind === 'none';
  if (isUntold && words !== null) return words;
  return `ours ${sideWords(ours, path)}; theirs ${sideWords(theirs, path)}`;
}

function sideWords({ deed, last }: Side, path: string): string {
  return `${deedWords(deed, path)}${last === null ? '' : ` (${last})`}`;
}

function deedWords(deed: Deed, path: string): string {
  const named = (other: string): string => (other === path ? 'it' : other);
  switch (deed.kind) {
    case 'added':
    case 'changed':
    case 'deleted':
      return `${deed.kind} ${named(deed.path)}`;
    case 'renamed':
      return deed.to === path ? `renamed ${deed.path} to it` : `renamed ${named(deed.path)} to ${deed.to}`;
    case 'filled':
      return `made a folder of ${named(deed.path)}`;
    case 'none':
      return 'did what its paths do not tell';
  }
}

/** The clone gets the very commit that the step tried: a root repo gives out commits by their id. */
function resolveWords({ request }: WalledDesk, conflicts: readonly Conflict[]): string {
  const commands = conflicts.flatMap(({ upstream: { repo, theirs }, files }) => {
    const clone = `git -C ${shellWord(repo.cloneFolder ?? repo.name)}`;
    const [merge, commit] = [`${clone} merge --ff --no-edit`, `${clone} commit --all --no-edit`];
    return [
      `  ${clone} pull --ff-only`,
      `  ${clone} fetch ${shellWord(repo.rootFolder)} ${theirs}`,
      ...(files.length === 0
        ? [`  ${merge} --allow-unrelated-histories FETCH_HEAD`, `    # where files conflict: mend them, then ${commit}`]
        : [`  ${merge} FETCH_HEAD`, '    # mend the files named, then', `  ${commit}`]),
      `  ${clone} push`,
    ];
  });
  const retry = `  takt run retry ${request.workspace}/${request.runNumber} --from ${request.step}`;
  return ['To make the merge by hand, in the workspace’s clones:', ...commands, retry].join('\n');
}
