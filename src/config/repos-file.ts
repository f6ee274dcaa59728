import { z } from 'zod';
import { Fault } from '../contract/faults.ts';
import { RepoConfig } from '../contract/repo.ts';
import { didYouMean } from './did-you-mean.ts';
import { parseYaml, readYaml, type YamlText } from './yaml-text.ts';

/** How messages name the file. */
export const REPOS_FILE = 'config/repos.yaml';

const ReposFile = z.strictObject({ repos: z.array(RepoConfig).nullable().default([]) });

/** The repos that the text of `config/repos.yaml` lists; names are unique, and what one depends on is there. */
export function readReposFile(text: string): RepoConfig[] {
  const yaml = readYaml(text, REPOS_FILE, 'CONFIG_INVALID');
  const repos = parseYaml(yaml, ReposFile, 'CONFIG_INVALID').repos ?? [];
  refuseDuplicates(yaml, repos);
  refuseUnknownDependencies(yaml, repos);
  refuseCycles(yaml, repos);
  refusePathsOutside(yaml, repos);
  return repos;
}

function refuseDuplicates(yaml: YamlText, repos: readonly RepoConfig[]): void {
  for (const [index, { name }] of repos.entries()) {
    // Folders of the same name in other letter case are one folder on some file systems.
    const first = repos.findIndex((other) => other.name.toLowerCase() === name.toLowerCase());
    if (first === index) continue;
    const place = yaml.placeOf(['repos', index, 'name']);
    throw new Fault(
      'CONFIG_INVALID',
      `${place}: the name ${name} is taken by the repo at ${yaml.placeOf(['repos', first, 'name'])}.`,
      {
        hint: 'Give each repo a name of its own.',
      },
    );
  }
}

function refuseUnknownDependencies(yaml: YamlText, repos: readonly RepoConfig[]): void {
  const names = repos.map(({ name }) => String(name));
  for (const [index, { name, depends_on: needs }] of repos.entries()) {
    const missing = needs.findIndex((need) => !names.includes(need));
    if (missing === -1) continue;
    const word = needs[missing]!;
    const others = names.filter((other) => other !== name);
    throw new Fault(
      'CONFIG_INVALID',
      `${yaml.placeOf(['repos', index, 'depends_on', missing])}: ${name} depends on ${word}, which is not listed.${didYouMean(word, others)}`,
      {
        hint: `List ${word} too, or take it out of depends_on.`,
      },
    );
  }
}

function refuseCycles(yaml: YamlText, repos: readonly RepoConfig[]): void {
  const cycle = findCycle(new Map(repos.map(({ name, depends_on: needs }) => [String(name), needs.map(String)])));
  if (cycle === undefined) return;
  const index = repos.findIndex(({ name }) => name === cycle[0]);
  throw new Fault(
    'CONFIG_INVALID',
    `${yaml.placeOf(['repos', index, 'depends_on'])}: these depend on each other in a circle: ${cycle.join(' → ')}.`,
    {
      hint: 'Take one of them out of depends_on, since the order decides what is pushed first.',
    },
  );
}

/** What is copied or cached lies within the repo, and not in its git folder. */
function refusePathsOutside(yaml: YamlText, repos: readonly RepoConfig[]): void {
  for (const [index, repo] of repos.entries()) {
    for (const key of ['copy', 'cache'] as const) {
      const wrong = repo[key].findIndex((path) => !isWithin(path));
      if (wrong === -1) continue;
      const place = yaml.placeOf(['repos', index, key, wrong]);
      throw new Fault('CONFIG_INVALID', `${place}: ${repo[key][wrong]} is not a path within the repo.`, {
        hint: `Write paths in ${key} from the repo's top, such as .env.`,
      });
    }
  }
}

function isWithin(path: string): boolean {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return !path.startsWith('/') && parts.length > 0 && !parts.includes('..') && parts[0]!.toLowerCase() !== '.git';
}

/** The names along a circle, the first repeated at the end; undefined if there is none. */
export function findCycle(needs: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const settled = new Set<string>();
  const visit = (name: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    if (settled.has(name)) return undefined;
    for (const need of needs.get(name) ?? []) {
      const found = visit(need, [...path, name]);
      if (found !== undefined) return found;
    }
    settled.add(name);
    return undefined;
  };
  for (const name of needs.keys()) {
    const found = visit(name, []);
    if (found !== undefined) return found;
  }
  return undefined;
}
