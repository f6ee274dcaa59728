import { Fault } from '../contract/faults.ts';
import { CommitId } from '../contract/ids.ts';
import type { PushOfRepo } from '../contract/operations/push.ts';
import { git, linesOf } from './git.ts';
import { commitSubjects, isAncestor, isHeldByAny } from './history.ts';
import { refCommit } from './refs.ts';
import { type Contact, contactUpstream } from './contact.ts';
import { pushedRefs } from './released-refs.ts';
import { UPSTREAM_REFS } from './root-repo.ts';
import { askUpstreamBranches } from './upstream.ts';
import { noteUpstreamBranch } from './upstream-branch.ts';
import { upstreamFault } from './upstream-fault.ts';

const SUBJECTS_SHOWN = 50;

interface Sent {
  readonly kind: 'pushed' | 'current';
  readonly unnoted: Fault | null;
}

/** What would go out, without the names of where from and where to. */
type Outgoing = Omit<PushOfRepo, 'repo' | 'rootFolder' | 'upstream' | 'pushUrl'>;

/**
 * What a push of a workspace's branch would send, by what the root repo knows; nobody is asked. `unchanged`: it holds
 * nothing that upstream's default branch lacks. `current`: the branch that is pushed to has it. `diverged`: that branch
 * has commits that ours lacks. Fault: BRANCH_MISSING.
 */
export async function planPush(p: {
  readonly rootFolder: string;
  readonly branch: string;
  readonly defaultBranch: string;
  /** The branch that is pushed to, as it was recorded last; null: absent. */
  readonly expected: string | null;
  /** Commits that were merged upstream, whatever became of them and of the branch there. */
  readonly mergedHeads: readonly string[];
  readonly signal: AbortSignal;
}): Promise<Outgoing> {
  const commit = await refCommit(p.rootFolder, `refs/heads/${p.branch}`, p);
  if (commit === null) throw new Fault('BRANCH_MISSING', `The root repo ${p.rootFolder} has no branch ${p.branch}.`);
  const expected = p.expected === null ? null : CommitId.parse(p.expected);
  const trunk = await refCommit(p.rootFolder, UPSTREAM_REFS + p.defaultBranch, p);
  const plan = (state: PushOfRepo['state'], subjects: string[], commits: number): Outgoing => ({
    commit,
    expected,
    commits,
    subjects,
    state,
  });
  if (expected === commit) return plan('current', [], 0);
  if (expected === null && (await isHeldByAny(p.rootFolder, commit, [trunk, ...p.mergedHeads], p)))
    return plan('unchanged', [], 0);
  const known = expected === null ? trunk : await refCommit(p.rootFolder, expected, p);
  const isForward = expected === null || (known !== null && (await isAncestor(p.rootFolder, expected, commit, p)));
  if (known !== null && expected !== null && (await isAncestor(p.rootFolder, commit, expected, p)))
    return plan('diverged', [], 0);
  const count = Number(
    await git(p.rootFolder, ['rev-list', '--count', commit, ...(known === null ? [] : [`^${known}`])], p),
  );
  const subjects = await commitSubjects(p.rootFolder, known, commit, { signal: p.signal, limit: SUBJECTS_SHOWN });
  return plan(isForward ? 'to_push' : 'diverged', subjects, count);
}

/**
 * Sends exactly one commit to one branch at `pushUrl`, which has to stand at `expected` (null: absent). What is there is
 * only ever added to: a commit that does not hold `expected` is not sent. `current`: it was there already, as after a
 * push whose answer was lost. Faults: UPSTREAM_MOVED, PUSH_REJECTED, and those of an upstream that does not answer.
 * `unnoted`: why the root repo could not note where upstream is now; the next fetch does.
 */
export async function pushCommit(p: {
  readonly rootFolder: string;
  readonly upstream: string;
  /** The upstream, or a fork of it. */
  readonly pushUrl: string;
  readonly branch: string;
  readonly commit: string;
  readonly expected: string | null;
  readonly defaultBranch: string;
  /** The operator's environment: pushing uses the operator's own credentials. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onStderr?: (chunk: string) => void;
}): Promise<Sent> {
  if (p.branch === p.defaultBranch)
    throw new Fault('PUSH_REJECTED', `takt never pushes to the default branch ${p.branch}.`, {
      hint: 'Push a workspace’s branch and open a pull request.',
    });
  const commit = CommitId.parse(p.commit);
  if (p.expected !== null && !(await isForward(p.rootFolder, p.expected, commit, p.signal)))
    throw moved(p.pushUrl, p.branch, p.expected);
  const ref = `refs/heads/${p.branch}`;
  const send = [`--force-with-lease=${ref}:${p.expected ?? ''}`, '--', p.pushUrl, `${commit}:${ref}`];
  // Settings of the user's that would send more than this, or would ask further repositories.
  const plain = [
    'push',
    '--porcelain',
    '--no-verify',
    '--no-follow-tags',
    '--no-signed',
    '--recurse-submodules=no',
    '--progress',
  ];
  const { result, contact } = await contactUpstream(p.rootFolder, [...plain, ...send], {
    ...p,
    upstream: p.pushUrl,
    isPush: true,
  });
  const answer = linesOf(result.stdout.toString('utf8')).find((line) => line.split('\t')[1]?.endsWith(`:${ref}`));
  if (answer === undefined) throw await pushFault(p, { contact, words: result.stderr });
  if (answer.startsWith('!') || result.exitCode !== 0) return settleRefusal(p, commit, result.stderr);
  return { kind: answer.startsWith('=') ? 'current' : 'pushed', unnoted: await noted(p, commit) };
}

/** For whoever pushed. */
export const unnotedWords = (repo: string, { message, detail }: Fault): string =>
  `${repo} went out, and its root repo does not know yet (\`takt repo fetch ${repo}\` tells it): ${message}${detail === undefined ? '' : `\n${detail}`}`;

/** What went out stays out, whatever may be wrong in the root repo. */
async function noted(p: Parameters<typeof pushCommit>[0], commit: CommitId): Promise<Fault | null> {
  try {
    await noteUpstreamBranch({ ...p, pushedRefs: pushedRefs(p) }, commit);
    return null;
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}

/** Servers say of a repository that may be read and not written that there is none; so it is read. */
async function pushFault(
  p: Parameters<typeof pushCommit>[0],
  { contact, words }: { contact: Contact; words: string },
): Promise<Fault> {
  const { rootFolder: folder, pushUrl: upstream, branch, signal, env } = p;
  const fault = await upstreamFault({ folder, upstream, words, contact, signal, env });
  if (fault.code !== 'UPSTREAM_MISSING' || contact.transport.kind === 'disk') return fault;
  try {
    await askUpstreamBranches(folder, upstream, [branch], { signal, env });
  } catch (error) {
    if (error instanceof Fault && !signal.aborted) return fault;
    throw error;
  }
  return new Fault('UPSTREAM_DENIED', `The upstream ${upstream} lets us read it, and not push to it.`, {
    detail: words.trim(),
    hint: 'Give your account the right to push there, or push to a fork: `push_url` of the repo in config/repos.yaml.',
  });
}

/** Git gives the reason only in prose, so it is asked where the branch stands. */
async function settleRefusal(p: Parameters<typeof pushCommit>[0], commit: CommitId, words: string): Promise<Sent> {
  const asked = await askUpstreamBranches(p.rootFolder, p.pushUrl, [p.branch], { signal: p.signal, env: p.env });
  const now = asked.get(p.branch) ?? null;
  if (now === commit) return { kind: 'current', unnoted: await noted(p, commit) };
  if (now !== p.expected) throw moved(p.pushUrl, p.branch, now);
  throw new Fault('PUSH_REJECTED', `The upstream ${p.pushUrl} did not take ${p.branch}.`, { detail: words.trim() });
}

async function isForward(folder: string, expected: string, commit: string, signal: AbortSignal): Promise<boolean> {
  return (
    (await refCommit(folder, expected, { signal })) !== null && (await isAncestor(folder, expected, commit, { signal }))
  );
}

function moved(pushUrl: string, branch: string, now: string | null): Fault {
  const where = now === null ? 'is gone' : `is at ${now.slice(0, 10)}, which our branch does not build on`;
  return new Fault('UPSTREAM_MOVED', `The branch ${branch} of ${pushUrl} ${where}.`, {
    hint: `\`takt workspace pull ${branch}\` takes in what came, or says how to merge it; then push again.`,
  });
}
