import { openConfig } from '../../config/config-source.ts';
import { findProgram } from '../../confinement/find-program.ts';
import { Fault } from '../../contract/faults.ts';
import { gitEnvironment } from '../../git/git.ts';
import { findPlace } from '../../github/find-place.ts';
import { ghEnvironment, hasLogin } from '../../github/gh-api.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { type CheckResult, result } from './check.ts';
import { firstLineOf } from './program-version.ts';

const NAME = 'gh';
const UPSTREAMS_LIMIT = 50;

/**
 * Whether `gh` is there and logged in at the hosts of upstreams that it can serve. No network is asked: `gh auth token`
 * says by its exit code whether there is a login.
 */
export async function checkGh(
  layout: HomeLayout,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<CheckResult> {
  const hosts = await hostsOf(layout, environment, signal);
  const program = findProgram('gh', environment['PATH']);
  if (program === undefined) return ghFinding({ version: undefined, hosts, loggedInAt: [] });
  const version = (await firstLineOf(program, ['--version'], signal)) ?? `${program} does not start`;
  const env = ghEnvironment(environment);
  const logins = await Promise.all(hosts.map((host) => hasLogin(host, { env, signal })));
  return ghFinding({ version, hosts, loggedInAt: hosts.filter((_, at) => logins[at]) });
}

/** A host that is not GitHub's own is one of GitHub Enterprise if there is a login, and else perhaps no GitHub at all. */
export function ghFinding({
  version,
  hosts,
  loggedInAt,
}: {
  /** Undefined if gh is not there. */
  readonly version: string | undefined;
  readonly hosts: readonly string[];
  readonly loggedInAt: readonly string[];
}): CheckResult {
  const loggedOutAt = hosts.filter((host) => isOfGithub(host) && !loggedInAt.includes(host));
  const login = loggedOutAt.map((host) => `\`gh auth login --hostname ${host}\``).join(' and ');
  if (version === undefined)
    return loggedOutAt.length === 0
      ? result(NAME, 'absent', 'not there; needed only for pull requests on GitHub')
      : result(NAME, 'warning', 'not there', `For pull requests, install it (\`apt install gh\`), then ${login}.`);
  if (loggedOutAt.length > 0)
    return result(
      NAME,
      'warning',
      `${version}; not logged in at ${loggedOutAt.join(', ')}`,
      `For pull requests: ${login}.`,
    );
  return result(NAME, 'ok', loggedInAt.length === 0 ? version : `${version}; logged in at ${loggedInAt.join(', ')}`);
}

/** The hosts of upstreams that may be a GitHub, each once; git's rewriting of addresses and aliases of ssh are applied. */
async function hostsOf(layout: HomeLayout, environment: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string[]> {
  const { env } = gitEnvironment(environment, { interactive: false });
  const upstreams = openConfig(layout).repos().slice(0, UPSTREAMS_LIMIT);
  const hosts = await Promise.all(
    upstreams.map(async ({ upstream }) => {
      try {
        return (await findPlace(upstream, { folder: '/', env, signal })).host;
      } catch (error) {
        if (error instanceof Fault && error.code === 'UPSTREAM_NOT_GITHUB') return undefined;
        throw error;
      }
    }),
  );
  return [...new Set(hosts.filter((host) => host !== undefined))];
}

/** github.com, and the hosts that GitHub runs for single customers. */
const isOfGithub = (host: string): boolean => host === 'github.com' || host.endsWith('.ghe.com');
