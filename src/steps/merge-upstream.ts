import type { AttemptRepo, AttemptRequest } from '../contract/attempt.ts';
import { Fault } from '../contract/faults.ts';
import { upstreamName } from '../git/fetch-branch.ts';
import { type MergedRepo, readMergeFrames } from '../git/merge-frames.ts';
import { beginScript, type Beginning, mergeScript, type RepoToMerge } from '../git/merge-script.ts';
import { isDiskFull } from '../platform/disk-space.ts';
import type { WalledDesk } from './attempt-desk.ts';
import { blockedResult } from './blocked-result.ts';
import { conflictResult } from './conflict-result.ts';
import { type FetchedUpstream, fetchUpstreams } from './fetch-upstreams.ts';
import { runOwnScript } from './own-script.ts';
import { endedWork, failedWork, passedWork, type WorkResult } from './work-result.ts';
import { readWorktreeRecord, withResidue } from './worktree-record.ts';

type Upstream = Extract<FetchedUpstream, { readonly theirs: string }>;

const REPORT_LIMIT_BYTES = 32 * 1024 * 1024;

/**
 * Merges upstream's default branch into each repo that the workspace edits: fetches outside the walls, merges inside
 * them, in all repos or in none. A conflict is a result that names files and sides.
 */
export async function mergeUpstream(desk: WalledDesk, touch: () => void): Promise<WorkResult> {
  const repos = desk.request.repos.filter(({ role }) => role === 'edit');
  const fetched = await fetchUpstreams(desk, repos, touch).catch((error: unknown) => {
    if (desk.signal.aborted) return undefined;
    throw error;
  });
  if (fetched === undefined) return { ...endedWork, isUntouched: true };
  const faults = fetched.flatMap((each) => ('fault' in each ? [each] : []));
  if (faults.length > 0) return notReached(faults);
  const upstreams = fetched.flatMap((each) => ('theirs' in each ? [each] : []));
  if (upstreams.length === 0) return { ...passedWork('The workspace edits no repo.'), isUntouched: true };

  const merged = await mergeInside(desk, upstreams);
  if (desk.signal.aborted) return endedWork;
  const known = new Map(upstreams.map(({ repo, theirs }) => [repo.name as string, [theirs]]));
  return { ...(await resultOf(desk, upstreams, merged)), known };
}

async function resultOf(
  desk: WalledDesk,
  upstreams: readonly Upstream[],
  merged: readonly MergedRepo[],
): Promise<WorkResult> {
  const blocked = merged.find((each) => each.kind === 'blocked');
  if (blocked !== undefined) return blockedResult(desk, blocked);
  const isConflict = merged.some(({ kind }) => kind === 'conflict' || kind === 'unrelated');
  return isConflict ? conflictResult(desk, upstreams, merged) : mergedResult(desk, upstreams, merged);
}

function notReached(faults: readonly Extract<FetchedUpstream, { readonly fault: Fault }>[]): WorkResult {
  const sentences = faults.map(({ repo, fault }) => `${repo.name}: ${fault.message}`);
  const isFull = faults.some(({ fault }) => fault.code === 'DISK_FULL');
  const failed = failedWork({ class: isFull ? 'disk' : 'upstream', sentence: sentences.join(' ') });
  const findings = faults.map(({ repo, fault }) => ({
    severity: 'error' as const,
    message: `${fault.message} ${fault.hint}`.slice(0, 4_000),
    repo: repo.name,
  }));
  return { ...failed, result: { verdict: 'failed', summary: sentences.join('\n'), findings }, isUntouched: true };
}

/** git runs on the worktrees inside only: hooks and settings there are the work's. */
async function mergeInside(desk: WalledDesk, upstreams: readonly Upstream[]): Promise<MergedRepo[]> {
  const { request } = desk;
  const repos = withResidue(
    upstreams.map(({ repo }) => repo),
    await readWorktreeRecord(request),
  ).map((repo, index): RepoToMerge => ({
    ...repo,
    theirs: upstreams[index]!.theirs,
    message: mergeMessage(desk, repo),
  }));
  const script = mergeScript(repos, beginningOf(request));
  const chunks: Buffer[] = [];
  let bytes = 0;
  const { exitCode, tail } = await runOwnScript(desk, script, {
    onStdout: async (stream) => {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes <= REPORT_LIMIT_BYTES) chunks.push(chunk);
      }
    },
  });
  if (desk.signal.aborted) return [];
  const notMerged = 'The worktrees could not be merged in.';
  if (exitCode !== 0) throw await mergeFault(request, notMerged, tail);
  if (bytes > REPORT_LIMIT_BYTES)
    throw new Fault('GIT_FAILED', `The merge reported more than ${REPORT_LIMIT_BYTES} bytes.`);
  const merged = readMergeFrames(Buffer.concat(chunks));
  // Something else than a repository, which only git can tell.
  if (merged.some((each) => each.kind === 'blocked' && each.obstacles.length === 0))
    throw await mergeFault(request, notMerged, tail);
  return merged;
}

/** After a merge that did not come to its end, the worktrees are where it began. Fault GIT_FAILED. */
export async function takeBackMerge(desk: WalledDesk): Promise<void> {
  const { request } = desk;
  const repos = withResidue(
    request.repos.filter(({ role }) => role === 'edit'),
    await readWorktreeRecord(request),
  );
  const { exitCode, tail } = await runOwnScript(desk, beginScript(repos, beginningOf(request)));
  if (exitCode !== 0)
    throw await mergeFault(request, 'The worktrees could not go back to where the merge began.', tail);
}

async function mergeFault({ runFolder }: AttemptRequest, sentence: string, detail: string): Promise<Fault> {
  return (await isDiskFull(runFolder))
    ? new Fault('DISK_FULL', `${sentence} The disk of ${runFolder} is full.`, { detail })
    : new Fault('GIT_FAILED', sentence, { detail });
}

const beginningOf = ({ guidance, attempt }: AttemptRequest): Beginning => ({
  guidance: guidance.map(({ path }) => path),
  attempt,
});

function mergeMessage({ request }: WalledDesk, { defaultBranch, upstream }: AttemptRepo): string {
  return `Merge branch '${defaultBranch}' of ${upstreamName(upstream)} into ${request.workspace}`;
}

function mergedResult(
  { output }: WalledDesk,
  upstreams: readonly Upstream[],
  merged: readonly MergedRepo[],
): WorkResult {
  const words = merged.map((each) => {
    const upstream = upstreams.find(({ repo }) => repo.name === each.repo);
    if (upstream === undefined || !('commit' in each))
      throw new Fault('INTERNAL', `The merge reports ${each.repo}, which it was not asked for.`);
    const branch = upstream.repo.defaultBranch;
    switch (each.kind) {
      case 'current':
        return `${each.repo} held ${branch} already`;
      case 'forward':
        return `${each.repo} went forward to ${branch} at ${each.commit.slice(0, 12)}`;
      case 'merge':
        return `${each.repo} merged ${branch} as ${each.commit.slice(0, 12)}`;
    }
  });
  for (const word of words) output.note(`${word}.`);
  return passedWork(`${words.join(', ')}.`.slice(0, 8_000));
}
