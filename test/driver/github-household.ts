import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGithub, type GithubStandIn } from './github-stand-in.ts';
import type { Run } from '../../src/contract/run.ts';
import { openHousehold, type Household } from './household.ts';
import { until } from './until.ts';

export interface GithubHousehold extends Household {
  readonly github: GithubStandIn;
}

/** A household whose operator has a login of `gh`, also for git over HTTPS, at a stand-in of GitHub. */
export async function openGithubHousehold(
  extra: Record<string, string> = {},
  { isLoggedIn = true }: { isLoggedIn?: boolean } = {},
): Promise<GithubHousehold> {
  const folder = await mkdtemp(join(tmpdir(), 'takt-test-'));
  const github = await openGithub(folder);
  const user = join(folder, 'user');
  await mkdir(join(user, '.config', 'gh'), { recursive: true });
  const login = (host: string): string =>
    `${host}:\n    oauth_token: ${github.token}\n    user: ada\n    git_protocol: https\n`;
  if (isLoggedIn)
    await writeFile(join(user, '.config', 'gh', 'hosts.yml'), `${login('github.com')}${login('github.example.org')}`, {
      mode: 0o600,
    });
  // What `gh auth setup-git` writes; without a login, a helper that knows the token all the same.
  const helper = isLoggedIn ? '!gh auth git-credential' : `!printf 'username=ada\\\\npassword=${github.token}\\\\n'`;
  await writeFile(join(user, '.gitconfig'), `[credential]\n\thelper = "${helper.replaceAll('"', '\\"')}"\n`);
  const household = await openHousehold({ ...github.environment, HOME: user, ...extra }, { folder });
  return {
    ...household,
    github,
    async [Symbol.asyncDispose]() {
      await household[Symbol.asyncDispose]();
      await github[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Three repositories on the stand-in, added to the home: `app` and `tool` need `lib`, `app` needs `tool` too. */
export async function addThreeRepos(household: GithubHousehold): Promise<void> {
  const needs: Record<string, string[]> = { lib: [], tool: ['lib'], app: ['lib', 'tool'] };
  for (const [name, dependsOn] of Object.entries(needs)) {
    const { url } = await household.github.add(
      'acme',
      name,
      await household.upstream(name, { 'file.txt': `${name}\n` }),
    );
    const options = dependsOn.flatMap((need) => ['--depends-on', need]);
    await household.ok('repo', 'add', name, url, ...options);
  }
}

/** One commit per repo, pushed to the root repos. */
export async function commitAndPush(
  household: Household,
  workspace: string,
  text: string,
  ...repos: string[]
): Promise<void> {
  for (const repo of repos) {
    const clone = household.clone(workspace, repo);
    await writeFile(join(clone, 'change.txt'), text);
    await household.git(clone, 'add', '-A');
    await household.git(clone, 'commit', '-q', '-m', `${repo}: ${text.trim()}`);
    await household.git(clone, 'push', '-q');
  }
}

/** The run of this number of the workspace `task`, once it has ended. */
export async function runEnded(household: Household, number: number): Promise<Run> {
  return until(
    `run ${number} to end`,
    async () => {
      const said = await household.takt('run', 'show', `task/${number}`, '--json');
      const run = said.code === 0 ? (JSON.parse(said.stdout) as Run) : undefined;
      return run !== undefined && run.endedAtMs !== null ? run : undefined;
    },
    60_000,
  );
}
