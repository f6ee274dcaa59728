import { Fault } from '../../../contract/faults.ts';
import type { ParamsOf } from '../../../contract/operation.ts';
import type { FetchResult, repoFetch } from '../../../contract/operations/repo.ts';
import type { Call } from '../../http/binding.ts';
import type { ServiceParts } from '../../parts.ts';
import { severalAtATime } from '../../../platform/several-at-a-time.ts';
import { fetchOne } from './fetch-one.ts';
import { knownRepo, knownRepos } from './repo-view.ts';

const AT_ONCE = 4;

/** Fetches repos side by side; one that fails leaves the others alone. */
export async function fetchRepos(
  parts: ServiceParts,
  { repos, all }: ParamsOf<typeof repoFetch>,
  { signal, progress }: Call,
): Promise<{ results: FetchResult[] }> {
  if (repos.length === 0 && !all)
    throw new Fault('INPUT_INVALID', 'No repo is named.', { hint: 'Name repos, or give --all.' });
  const names = all
    ? knownRepos(parts).map(({ name }) => name)
    : [...new Set(repos.map((name) => knownRepo(parts, name).name))];
  const results = await severalAtATime(names, { limit: AT_ONCE, signal }, (name, ended) =>
    fetchOne(parts, name, { signal: ended, progress }),
  );
  return { results };
}
