import { openConfig } from '../../config/config-source.ts';
import { Fault } from '../../contract/faults.ts';
import { gitEnvironment } from '../../git/git.ts';
import { isProtocolRefused, ownSettings, protocolFix, schemeOf } from '../../git/own-settings.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { severalAtATime } from '../../platform/several-at-a-time.ts';
import { rewrittenAddress, transportOf } from '../../git/transport.ts';
import { type CheckResult, result } from './check.ts';

const NAME = 'git settings';
const ADDRESSES_AT_ONCE = 4;
const WITHOUT_GIT = 'cannot be told without git';

type Problem = { readonly isBroken: boolean; readonly found: string; readonly fix: string };
type Settings = ReadonlyMap<string, string>;

/**
 * Settings of the user's own git that keep takt, or a push to a root repo, from working. Each was tried: there are many
 * more that look as if they would (signing, hooks, `remote.pushDefault`, `safe.bareRepository`), and do not.
 */
export async function checkGitSettings(
  layout: HomeLayout,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<CheckResult> {
  const { env } = gitEnvironment(environment, { interactive: false });
  const own = await ownSettings({ env, signal });
  if (own.kind === 'no git') return result(NAME, 'absent', WITHOUT_GIT);
  if (own.kind === 'not valid')
    return result(NAME, 'broken', `git cannot read its configuration: ${own.words}`, 'Mend the file that git names.');
  const { settings } = own;
  const problems = [...(await protocolProblems(settings, layout, { env, signal })), ...nameProblems(settings, layout)];
  if (problems.length === 0)
    return result(NAME, 'ok', 'a name for commits, and nothing in the way of fetches and pushes');
  return result(
    NAME,
    problems.some(({ isBroken }) => isBroken) ? 'broken' : 'warning',
    problems.map(({ found }) => found).join('; '),
    problems.map(({ fix }) => fix).join(' '),
  );
}

/** Why nothing can be told of any repository, in the words of a finding; undefined if git works. */
export async function whyGitIsNoHelp(asking: Parameters<typeof ownSettings>[0]): Promise<string | undefined> {
  switch ((await ownSettings(asking)).kind) {
    case 'read':
      return undefined;
    case 'no git':
      return WITHOUT_GIT;
    case 'not valid':
      return 'cannot be told while git’s configuration is not valid';
  }
}

type Asking = Parameters<typeof ownSettings>[0];

async function protocolProblems(settings: Settings, layout: HomeLayout, asking: Asking): Promise<Problem[]> {
  const isAnyRefused = [...settings].some(([key, value]) => /^protocol\..*allow$/.test(key) && /^never$/i.test(value));
  if (!isAnyRefused) return [];
  const refused = [...(await schemesOf(layout, asking))].filter((scheme) => isProtocolRefused(settings, scheme));
  return refused.map((scheme) => ({
    isBroken: true,
    found:
      scheme === 'file'
        ? 'protocol.file.allow is never, so that nothing can be pushed to a root repo'
        : `protocol.${scheme}.allow is never, and an upstream is reached by ${scheme}`,
    fix: protocolFix(scheme),
  }));
}

/** `file` comes with every workspace clone, which pushes to a path. Of an address it counts what git makes of it. */
async function schemesOf(layout: HomeLayout, asking: Asking): Promise<Set<string>> {
  const repos = orNone(() => openConfig(layout).repos()) ?? [];
  const written = repos.flatMap(({ upstream, push_url: pushUrl }) => [
    { address: upstream, isPush: false },
    { address: pushUrl ?? upstream, isPush: true },
  ]);
  const bounds = { limit: ADDRESSES_AT_ONCE, signal: asking.signal };
  const used = await severalAtATime(written, bounds, ({ address, isPush }) =>
    rewrittenAddress('/', address, { ...asking, isPush }),
  );
  return new Set(['file', ...used.map((address) => schemeOf(transportOf(address)))]);
}

/** The setting `author` is written into each workspace clone, so that git needs no other name there. */
function nameProblems(settings: Settings, layout: HomeLayout): Problem[] {
  const missing = ['user.name', 'user.email'].filter((key) => (settings.get(key) ?? '') === '');
  if (missing.length === 0 || orNone(() => openConfig(layout).settings().author) !== undefined) return [];
  const values: Record<string, string> = { 'user.name': '"Your Name"', 'user.email': 'you@example.org' };
  return [
    {
      isBroken: false,
      found: `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not set`,
      fix: `${missing.map((key) => `\`git config --global ${key} ${values[key]}\``).join(' and ')} says whose commits yours are.`,
    },
  ];
}

/** What is wrong in a file is for the check of the configuration to say. */
function orNone<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Fault && error.code === 'CONFIG_INVALID') return undefined;
    throw error;
  }
}
