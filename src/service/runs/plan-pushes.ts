import type { AttemptWork } from '../../contract/attempt.ts';
import { Fault } from '../../contract/faults.ts';
import { isHeldByAny } from '../../git/history.ts';
import { refCommit } from '../../git/refs.ts';
import { approvalsOf } from '../../store/approvals.ts';
import { mergedHeads } from '../../store/pull-requests.ts';
import { rootOf } from '../../store/roots.ts';
import { runRepos } from '../../store/run-repos.ts';
import type { StoredRun } from '../../store/runs.ts';
import { upstreamHead } from '../../store/upstream-heads.ts';
import { refuseChangedAddresses } from '../operations/repo/refuse-changed-addresses.ts';
import type { Desk } from './desk-parts.ts';

type Pushes = Extract<AttemptWork, { kind: 'script' }>['pushes'];

/**
 * What a step sends to upstream: the run's commit of every repo that has commits upstream lacks, expecting the branch
 * where it was recorded last. An approval before it in the pipeline is for the commits that were shown, and no others.
 */
export async function planPushes(desk: Desk, run: StoredRun, step: string): Promise<Pushes> {
  const { database, layout, signal } = desk;
  const pushes: Pushes[number][] = [];
  for (const { repo, role, start, landed, head } of runRepos(database, run.id)) {
    if (role !== 'edit') continue;
    const expected = upstreamHead(database, repo, run.workspace);
    if (expected === head || (expected === null && (await isReleased(repo, head)))) continue;
    if (head !== (landed ?? start)) throw notOnBranch(repo, run.workspace);
    refuseChangedAddresses(desk.config, rootOf(database, repo));
    pushes.push({ repo, commit: head, expected });
  }
  checkApproval(desk, run, step, pushes);
  return pushes;

  async function isReleased(repo: string, head: string): Promise<boolean> {
    const { defaultBranch } = rootOf(database, repo);
    const released = await refCommit(layout.root(repo), `refs/heads/${defaultBranch}`, { signal });
    const holders = [released, ...mergedHeads(database, run.workspace, repo)];
    return isHeldByAny(layout.root(repo), head, holders, { signal });
  }
}

/** What did not land, such as a history that was written anew, is not what the workspace's branch stands for. */
function notOnBranch(repo: string, workspace: string): Fault {
  return new Fault(
    'COMMITS_CHANGED',
    `The commits of ${repo} did not land on the branch ${workspace}, and stay here.`,
    {
      hint: '`takt run show` says where they are; `takt run diff` shows them.',
    },
  );
}

function checkApproval(desk: Desk, run: StoredRun, step: string, pushes: Pushes): void {
  const before = run.pipeline.steps.slice(
    0,
    run.pipeline.steps.findIndex((each) => each.name === step),
  );
  const asked = before.findLast((each) => each.kind === 'approve');
  if (asked === undefined) return;
  const approval = approvalsOf(desk.database, run.id).findLast((each) => each.step === asked.name);
  const changed = pushes.find((push) => approval?.commits[push.repo] !== push.commit);
  if (changed === undefined) return;
  throw new Fault(
    'COMMITS_CHANGED',
    `The commits of ${changed.repo} are not those that were approved in ${asked.name}.`,
    {
      hint: 'Put the approval after the steps that make commits.',
    },
  );
}
