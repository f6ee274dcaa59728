import { openConfig } from '../../config/config-source.ts';
import { findProgram } from '../../confinement/find-program.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { runProcess } from '../../platform/run-process.ts';
import { type CheckResult, result } from './check.ts';
import { firstLineOf } from './program-version.ts';

const NAME = 'gh';
const HOSTS_LIMIT = 20;
const KEPT_PREFIXES = ['GH_', 'GITHUB_', 'XDG_'];

/**
 * Whether `gh` is there and logged in at the hosts of upstreams that it can serve. No network is asked: `gh auth token`
 * says by its exit code whether there is a login.
 */
export async function checkGh(
  layout: HomeLayout,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<CheckResult> {
  const upstreams = openConfig(layout).repos();
  const hosts = [...new Set(upstreams.flatMap(({ upstream }) => hostOf(upstream) ?? []))].slice(0, HOSTS_LIMIT);
  const program = findProgram('gh', environment['PATH']);
  if (program === undefined) return ghFinding({ version: undefined, hosts, loggedInAt: [] });
  const version = (await firstLineOf(program, ['--version'], signal)) ?? `${program} does not start`;
  const logins = await Promise.all(hosts.map((host) => isLoggedIn(program, host, environment, signal)));
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

/** It ends with 0 only where it has a token, which is not kept here. */
async function isLoggedIn(
  program: string,
  host: string,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<boolean> {
  const own = Object.entries(environment).filter(
    ([name]) => ['PATH', 'HOME'].includes(name) || KEPT_PREFIXES.some((prefix) => name.startsWith(prefix)),
  );
  const env = { ...(Object.fromEntries(own) as Record<string, string>), GH_PROMPT_DISABLED: '1' };
  const { exitCode } = await runProcess(program, ['auth', 'token', '--hostname', host], { env, signal });
  return exitCode === 0;
}

/** github.com, and the hosts that GitHub runs for single customers. */
const isOfGithub = (host: string): boolean => host === 'github.com' || host.endsWith('.ghe.com');

/** The host of a URL or of `host:path`, in small letters; undefined for a path on this machine. */
export function hostOf(upstream: string): string | undefined {
  const [, ofUrl] = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/@]*@)?(\[[^\]]+\]|[^/:]+)/i.exec(upstream) ?? [];
  const [, ofScp] = /^(?:[^/:@\s]+@)?([A-Za-z0-9_][^/:@\s]*):[^:]/.exec(upstream) ?? [];
  const host = /^[a-z][a-z0-9+.-]*:\/\//i.test(upstream) ? ofUrl : ofScp;
  if (host === undefined || upstream.startsWith('file:')) return undefined;
  // GitHub's way around blocked ports; the repositories are the same.
  return host.toLowerCase() === 'ssh.github.com' ? 'github.com' : host.toLowerCase();
}
