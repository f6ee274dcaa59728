import { createClient, type Client } from '../client/client.ts';
import type { contextList, roleList, settingList, templateList } from '../contract/operations/guidance.ts';
import type { repoList } from '../contract/operations/repo.ts';
import type { runList } from '../contract/operations/run.ts';
import type { jobList } from '../contract/operations/service.ts';
import type { workspaceList } from '../contract/operations/workspace.ts';
import type { Entity, ReplyOf } from '../contract/operation.ts';
import type { Run } from '../contract/run.ts';
import { commandNamed, type CommandTable } from '../grammar/command-table.ts';
import type { Candidate, Lookup } from '../grammar/complete.ts';
import { httpTransport } from '../platform/http-transport.ts';
import type { Place } from './place.ts';

/** Completion that makes somebody wait is worse than none. */
const LIMIT_MS = 200;
const RUNS = 30;

/** Asks one operation; the reply's type is the caller's to name. */
type Ask = <Reply>(name: string, params?: Record<string, string | number>) => Promise<Reply>;

/** The values that an entity has now. None if the service does not run or answer in time: completion starts nothing. */
export async function entityValues(lookup: Lookup, place: Place, table: CommandTable): Promise<Candidate[]> {
  const client: Client = createClient(httpTransport(place.address));
  const signal = AbortSignal.timeout(LIMIT_MS);
  const ask: Ask = async (name, params = {}) =>
    (await client.call(commandNamed(table, name), params, { signal })) as never;
  // Whatever went wrong, a shell that completes has no place to say it.
  return valuesOf[lookup.entity](ask, lookup).catch(() => []);
}

const named = (value: string, description = ''): Candidate => ({ value, description });

const valuesOf: Readonly<Record<Entity, (ask: Ask, lookup: Lookup) => Promise<Candidate[]>>> = {
  repo: reposFor,
  workspace: workspaces,
  run: runs,
  step: async (ask, { known }) =>
    (await stepsOf(ask, known)).map(({ name, title, state }) => named(name, `${title}, ${state}`)),
  attempt: async (ask, { known }) =>
    (await stepsOf(ask, known)).flatMap(({ name, attempts }) =>
      attempts.map((attempt) => named(attempt.id, `${name}, ${attempt.state}`)),
    ),
  template: async (ask) =>
    (await ask<ReplyOf<typeof templateList>>('template.list')).templates.map(({ name, purpose }) =>
      named(name, purpose),
    ),
  role: roles,
  context: async (ask) =>
    (await ask<ReplyOf<typeof contextList>>('context.list')).packets.map(({ name, purpose }) => named(name, purpose)),
  setting: async (ask) =>
    (await ask<ReplyOf<typeof settingList>>('setting.list')).settings.map(({ key, about }) => named(key, about)),
  job: async (ask) =>
    (await ask<ReplyOf<typeof jobList>>('job.list')).jobs
      .filter(({ state }) => state === 'running')
      .map(({ id, title }) => named(id, title)),
  command: async () => [],
  file: async () => [],
};

/** Of a workspace that the line names, its repos; where repos are added, the others. */
async function reposFor(ask: Ask, { known, command }: Lookup): Promise<Candidate[]> {
  const all = async (): Promise<Candidate[]> =>
    (await ask<ReplyOf<typeof repoList>>('repo.list')).repos.map(({ name, upstream }) => named(name, upstream));
  if (known.workspace === undefined) return all();
  const { workspaces: found } = await ask<ReplyOf<typeof workspaceList>>('workspace.list');
  const inside = found.find(({ name }) => name === known.workspace)?.repos.map(({ name }) => String(name)) ?? [];
  if (command === 'workspace.add-repo') return (await all()).filter(({ value }) => !inside.includes(value));
  return inside.map((name) => named(name));
}

async function workspaces(ask: Ask): Promise<Candidate[]> {
  const reply = await ask<ReplyOf<typeof workspaceList>>('workspace.list');
  return reply.workspaces.map(({ name, repos, latestRun }) =>
    named(
      name,
      `${repos.map((repo) => repo.name).join(', ')}${latestRun === null ? '' : `; run ${latestRun.number} ${latestRun.state}`}`,
    ),
  );
}

/** Newest first, each by its workspace and number; a workspace's name alone means its newest. */
async function runs(ask: Ask): Promise<Candidate[]> {
  const { runs: found } = await ask<ReplyOf<typeof runList>>('run.list', { limit: RUNS });
  const newest = [...new Set(found.map(({ workspace }) => String(workspace)))].map((workspace) =>
    named(workspace, 'its newest run'),
  );
  return [
    ...newest,
    ...found.map(({ workspace, number, state, trigger }) => named(`${workspace}/${number}`, `${state}, by ${trigger}`)),
  ];
}

async function stepsOf(ask: Ask, known: Lookup['known']): Promise<Run['steps']> {
  return known.run === undefined ? [] : (await ask<Run>('run.show', { run: known.run })).steps;
}

const otherSteps: readonly Candidate[] = [
  named('approve', 'waits for you'),
  named('merge_upstream', 'merges the default branch of upstream into the branch'),
  named('push_to_github', 'pushes the branch to upstream'),
  named('create_pr', 'pushes, and opens pull requests'),
];

/** A pipeline takes scripts and `approve` beside roles. */
async function roles(ask: Ask, { command }: Lookup): Promise<Candidate[]> {
  const reply = await ask<ReplyOf<typeof roleList>>('role.list');
  const found = reply.roles.map(({ name, purpose }) => named(name, purpose));
  return command === 'workspace.pipeline-set' ? [...found, ...otherSteps] : found;
}
