/** A repo, and those that it depends on. */
interface RepoNeeds<Name extends string = string> {
  readonly name: Name;
  readonly dependsOn: readonly string[];
}

/**
 * The order of letting out: a repo comes after all that it depends on; else by name. Where repos need each other in a
 * circle, they go by name. Names that are not in the list do not count.
 */
export function pushOrder<Name extends string>(repos: readonly RepoNeeds<Name>[]): Name[] {
  const left = new Map(
    [...repos].sort((a, b) => (a.name < b.name ? -1 : 1)).map((repo) => [repo.name as string, repo]),
  );
  const order: Name[] = [];
  while (left.size > 0) {
    const isFree = (repo: RepoNeeds): boolean => !repo.dependsOn.some((need) => need !== repo.name && left.has(need));
    const next = [...left.values()].find(isFree) ?? firstOfCircle(left);
    order.push(next.name);
    left.delete(next.name);
  }
  return order;
}

/** Of what is left, all waits for a circle; the first by name that lies on one goes, not one that only waits for it. */
function firstOfCircle<Repo extends RepoNeeds>(left: ReadonlyMap<string, Repo>): Repo {
  const reaches = (from: Repo, target: string): boolean => {
    const seen = new Set<string>();
    const next = [...from.dependsOn];
    for (let name = next.pop(); name !== undefined; name = next.pop()) {
      if (name === target) return true;
      if (seen.has(name)) continue;
      seen.add(name);
      next.push(...(left.get(name)?.dependsOn ?? []));
    }
    return false;
  };
  return [...left.values()].find((repo) => reaches(repo, repo.name)) ?? [...left.values()][0]!;
}

/**
 * What repos need, by what is configured for all of them. Of a need that is not among them, such as a repo that the task
 * leaves alone, that repo's own needs count as well: what is built on it is built on them.
 */
export function needsAmong<Name extends string, Need extends string>(
  names: readonly Name[],
  configured: readonly { readonly name: string; readonly depends_on: readonly Need[] }[],
): { name: Name; dependsOn: Need[] }[] {
  const direct = new Map(configured.map((repo) => [repo.name, repo.depends_on]));
  const among = new Set<string>(names);
  return names.map((name) => {
    const needs = new Set<Need>();
    const next = [...(direct.get(name) ?? [])];
    for (let need = next.shift(); need !== undefined; need = next.shift()) {
      if (needs.has(need)) continue;
      needs.add(need);
      if (!among.has(need)) next.push(...(direct.get(need) ?? []));
    }
    return { name, dependsOn: [...needs] };
  });
}
