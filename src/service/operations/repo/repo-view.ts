import { Fault } from '../../../contract/faults.ts';
import type { Repo, RepoConfig, RepoSummary } from '../../../contract/repo.ts';
import { withoutSecrets } from '../../../contract/secrets.ts';
import { readHeads, refCommit } from '../../../git/refs.ts';
import { repoFacts } from '../../../git/root-repo.ts';
import { findRoot, listRoots, type Root } from '../../../store/roots.ts';
import { workspacesOfRepo } from '../../../store/workspaces.ts';
import type { ServiceParts } from '../../parts.ts';

type ViewParts = Pick<ServiceParts, 'config' | 'database' | 'layout'>;

/** A repo as the configuration and the store know it; one of the two may lack it after an edit by hand. */
interface KnownRepo {
  readonly name: string;
  readonly config: RepoConfig | undefined;
  readonly root: Root | undefined;
}

/** All repos: those of `repos.yaml` in its order, then mirrors whose entry was taken out by hand. */
export function knownRepos({ config, database }: Pick<ViewParts, 'config' | 'database'>): KnownRepo[] {
  const roots = new Map(listRoots(database).map((root) => [String(root.repo), root]));
  const listed = config
    .repos()
    .map((entry) => ({ name: String(entry.name), config: entry, root: roots.get(entry.name) }));
  const names = new Set(listed.map(({ name }) => name));
  const others = [...roots]
    .filter(([name]) => !names.has(name))
    .map(([name, root]) => ({ name, config: undefined, root }));
  return [...listed, ...others];
}

export function knownRepo(parts: Pick<ViewParts, 'config' | 'database'>, name: string): KnownRepo {
  const found = knownRepos(parts).find((repo) => repo.name === name);
  if (found !== undefined) return found;
  // Names the nearest one.
  parts.config.repo(name);
  throw new Fault('REPO_NOT_FOUND', `No repo is called ${name}.`);
}

/** The mirror of a repo, or Fault REPO_NOT_FOUND that says what to do for one that is only listed. */
export function mirroredRoot({ config, database }: Pick<ViewParts, 'config' | 'database'>, name: string): Root {
  const root = findRoot(database, name);
  if (root !== undefined) return root;
  config.repo(name);
  throw new Fault('REPO_NOT_FOUND', `The repo ${name} is listed, but not mirrored yet.`, {
    hint: `\`takt repo fetch ${name}\` mirrors it.`,
  });
}

export function repoSummary({ database }: Pick<ViewParts, 'database'>, { name, config, root }: KnownRepo): RepoSummary {
  return {
    name: name as RepoSummary['name'],
    upstream: withoutSecrets(config?.upstream ?? root?.upstream ?? ''),
    pushUrl: pushUrlOf(config, root),
    defaultBranch: root?.defaultBranch ?? config?.default_branch ?? '',
    dependsOn: config?.depends_on ?? [],
    fetchedAtMs: root?.fetchedAtMs ?? null,
    fetchFault: root?.fetchFault ?? null,
    workspaces: workspacesOfRepo(database, name),
  };
}

function pushUrlOf(config: RepoConfig | undefined, root: Root | undefined): string | null {
  const pushUrl = config === undefined ? root?.pushUrl : config.push_url;
  return pushUrl === undefined || pushUrl === (config ?? root)?.upstream ? null : withoutSecrets(pushUrl);
}

/** A repo with what its mirror holds now. */
export async function repoView(parts: ViewParts, name: string, signal: AbortSignal): Promise<Repo> {
  const known = knownRepo(parts, name);
  const { config, root } = known;
  const own = { setup: config?.setup ?? null, copy: config?.copy ?? [], cache: config?.cache ?? [] };
  const summary = { ...repoSummary(parts, known), folder: parts.layout.root(name), ...own };
  if (root === undefined) {
    return {
      ...summary,
      head: null,
      branches: [],
      sizeBytes: 0,
      notices: [`It is not mirrored yet: \`takt repo fetch ${name}\` does that.`],
    };
  }
  const [heads, head, facts] = await Promise.all([
    readHeads(summary.folder, { signal }),
    refCommit(summary.folder, `refs/heads/${root.defaultBranch}`, { signal }),
    repoFacts(summary.folder, { signal }),
  ]);
  const gone = config === undefined ? ['It is no longer listed in config/repos.yaml.'] : [];
  return {
    ...summary,
    head: head as Repo['head'],
    branches: [...heads].map(([branch, commit]) => ({ name: branch, commit }) as Repo['branches'][number]),
    ...facts,
    notices: [...gone, ...facts.notices],
  };
}
