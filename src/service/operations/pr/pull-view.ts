import type { PullRequest } from '../../../contract/pull-request.ts';
import type { WorkspaceSummary } from '../../../contract/workspace.ts';
import { needsAmong, pushOrder } from '../../../git/push-order.ts';
import type { Database } from '../../../store/database.ts';
import { allPulls, pullsOf, pullStates, type PullStanding, type StoredPull } from '../../../store/pull-requests.ts';
import { seenRef } from '../../../store/seen-refs.ts';
import { findWorkspace, workspaceOf } from '../../../store/workspaces.ts';
import type { ServiceParts } from '../../parts.ts';

type ViewParts = Pick<ServiceParts, 'config' | 'database'>;

/** The pull requests of a workspace, or of all, in the order in which they are to be merged; of each repo the newest. */
export function listPulls(
  parts: ViewParts,
  { workspace }: { workspace?: string | undefined },
): { pulls: PullRequest[] } {
  const { database } = parts;
  const pulls = workspace === undefined ? allPulls(database) : pullsOf(database, workspaceOf(database, workspace).name);
  const names = [...new Set(pulls.map((pull) => pull.workspace))];
  return {
    pulls: names.flatMap((name) => inOrder(parts, name, currentPulls(pulls.filter((each) => each.workspace === name)))),
  };
}

function inOrder({ config, database }: ViewParts, workspace: string, pulls: readonly StoredPull[]): PullRequest[] {
  const repos = (findWorkspace(database, workspace)?.repos ?? []).map(({ name }) => name);
  const order = pushOrder(needsAmong(repos, config.repos())).filter((name) => pulls.some((pull) => pull.repo === name));
  return pulls
    .map((pull) => {
      const at = order.indexOf(pull.repo);
      return { ...pull, turn: at === -1 ? pulls.length : at + 1 };
    })
    .toSorted((one, other) => one.turn - other.turn);
}

/**
 * The pull requests that count: of each repo the newest, as an older one that was closed or merged is history once
 * another is open.
 */
export function currentPulls<Pull extends Pick<PullStanding, 'repo' | 'openedAtMs' | 'number'>>(
  pulls: readonly Pull[],
): Pull[] {
  const newest = new Map<string, Pull>();
  for (const pull of pulls) {
    const before = newest.get(pull.repo);
    const isNewer =
      before === undefined ||
      pull.openedAtMs > before.openedAtMs ||
      (pull.openedAtMs === before.openedAtMs && pull.number > before.number);
    if (isNewer) newest.set(pull.repo, pull);
  }
  return pulls.filter((pull) => newest.get(pull.repo) === pull);
}

/** How the pull requests of a workspace stand together; null if it has none. */
export function workspaceStanding(database: Database, workspace: string): WorkspaceSummary['pulls'] {
  return standingsOf(database).get(workspace) ?? null;
}

/**
 * How the pull requests of each workspace that has some stand together. `merged`: all of them are, and nothing was
 * pushed to the workspace's branches since.
 */
export function standingsOf(database: Database): Map<string, NonNullable<WorkspaceSummary['pulls']>> {
  const states = pullStates(database);
  const names = [...new Set(states.map(({ workspace }) => workspace))];
  return new Map(
    names.map((name) => {
      const current = currentPulls(states.filter(({ workspace }) => workspace === name));
      if (current.some(({ state }) => state === 'open')) return [name, 'open'];
      const isMerged = current.every(
        ({ state, repo, head }) => state === 'merged' && (seenRef(database, repo, name) ?? head) === head,
      );
      return [name, isMerged ? 'merged' : 'closed'];
    }),
  );
}
