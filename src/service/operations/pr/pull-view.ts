import type { PullRequest } from '../../../contract/pull-request.ts';
import { pushOrder } from '../../../git/push.ts';
import { allPulls, pullsOf, type StoredPull } from '../../../store/pull-requests.ts';
import { findWorkspace } from '../../../store/workspaces.ts';
import type { ServiceParts } from '../../parts.ts';

type ViewParts = Pick<ServiceParts, 'config' | 'database'>;

/** The pull requests of a workspace, or of all, in the order in which they are to be merged. */
export function listPulls(
  parts: ViewParts,
  { workspace }: { workspace?: string | undefined },
): { pulls: PullRequest[] } {
  const pulls = workspace === undefined ? allPulls(parts.database) : pullsOf(parts.database, workspace);
  const names = [...new Set(pulls.map((pull) => pull.workspace))];
  return {
    pulls: names.flatMap((name) =>
      inOrder(
        parts,
        name,
        pulls.filter((pull) => pull.workspace === name),
      ),
    ),
  };
}

function inOrder({ config, database }: ViewParts, workspace: string, pulls: readonly StoredPull[]): PullRequest[] {
  const configured = config.repos();
  const order = pushOrder(
    (findWorkspace(database, workspace)?.repos ?? []).map(({ name }) => ({
      name,
      dependsOn: configured.find((repo) => repo.name === name)?.depends_on ?? [],
    })),
  );
  const turnOf = ({ repo }: StoredPull): number => {
    const at = order.filter((name) => pulls.some((pull) => pull.repo === name)).indexOf(repo);
    return at === -1 ? pulls.length : at + 1;
  };
  return pulls
    .map((pull) => {
      const { answeredAtMs: _, ...shown } = pull;
      return { ...shown, turn: turnOf(pull) };
    })
    .toSorted((one, other) => one.turn - other.turn || one.openedAtMs - other.openedAtMs);
}

/**
 * The pull requests that count: of each repo the newest, as an older one that was closed or merged is history once
 * another is open.
 */
export function currentPulls<
  Pull extends { readonly repo: string; readonly openedAtMs: number; readonly number: number },
>(pulls: readonly Pull[]): Pull[] {
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
export function pullsTogether(pulls: readonly StoredPull[]): 'open' | 'merged' | 'closed' | null {
  const current = currentPulls(pulls);
  if (current.length === 0) return null;
  if (current.some(({ sight }) => sight.state === 'open')) return 'open';
  return current.every(({ sight }) => sight.state === 'merged') ? 'merged' : 'closed';
}
