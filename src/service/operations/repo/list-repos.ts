import type { RepoSummary } from '../../../contract/repo.ts';
import type { ServiceParts } from '../../parts.ts';
import { knownRepos, repoSummary } from './repo-view.ts';

export function listRepos(parts: Pick<ServiceParts, 'config' | 'database'>): { repos: RepoSummary[] } {
  return { repos: knownRepos(parts).map((repo) => repoSummary(parts, repo)) };
}
