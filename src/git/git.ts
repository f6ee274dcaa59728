import { dirname } from 'node:path';
import { Fault } from '../contract/faults.ts';
import { isDiskFull } from '../platform/disk-space.ts';
import { runProcess, type ProcessResult } from '../platform/run-process.ts';

/** The whole environment of a git process that takt starts. */
export interface GitEnvironment {
  readonly env: Readonly<Record<string, string>>;
}

export interface GitOptions {
  readonly signal: AbortSignal;
  /** The environment instead of the service's own one without prompts. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  /** Exit codes that are answers and no failures; 0 alone if left out. */
  readonly okCodes?: readonly number[];
  readonly outputLimitBytes?: number;
  /** How the output becomes text; UTF-8 if left out. */
  readonly encoding?: 'latin1';
  readonly onStderr?: (chunk: string) => void;
}

const KEPT = new Set(
  [
    'HOME',
    'USER',
    'LOGNAME',
    'PATH',
    'TMPDIR',
    'TZ',
    'TERM',
    'NETRC',
    'GNUPGHOME',
    'DBUS_SESSION_BUS_ADDRESS',
    'KRB5CCNAME',
    'KRB5_CONFIG',
  ]
    .concat(['GH_TOKEN', 'GITHUB_TOKEN', 'GH_ENTERPRISE_TOKEN', 'GITHUB_ENTERPRISE_TOKEN', 'GH_HOST', 'GH_CONFIG_DIR'])
    .concat(['SSL_CERT_FILE', 'SSL_CERT_DIR', 'CURL_CA_BUNDLE'])
    .concat(['GIT_CONFIG_GLOBAL', 'GIT_CONFIG_SYSTEM', 'GIT_CONFIG_NOSYSTEM', 'GIT_EXEC_PATH', 'GIT_PROXY_COMMAND']),
);
const KEPT_PREFIXES = ['XDG_', 'SSH_AUTH_', 'SSH_AGENT_', 'GIT_SSL_', 'GIT_SSH', 'GIT_HTTP_', 'DYLD_', 'LD_LIBRARY_'];
const KEPT_WHERE_A_PERSON_ANSWERS = [
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'GPG_TTY',
  'GIT_ASKPASS',
  'SSH_ASKPASS',
  'SSH_ASKPASS_REQUIRE',
];

const GIVEN_SETTINGS_LIMIT = 1_000;

/**
 * These win over every file that git reads. No hook of a repository runs in takt's own git processes, only takt prunes,
 * and a user who wants bare repositories to be named by GIT_DIR does not mean takt's root repos; a repository on this disk that takt pushes to does not get them, since git clears them for it.
 */
const SETTINGS = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['advice.detachedHead', 'false'],
  ['safe.bareRepository', 'all'],
] as const;

/**
 * ssh without questions, where nobody has looked which ssh this upstream is reached with (`reach.ts`). An ssh command
 * from the user's configuration stays in use: GIT_SSH_COMMAND hides it, so the shell that git starts looks it up.
 */
export const QUIET_SSH =
  'takt_ssh() { ssh=$(git config --get core.sshCommand || echo ssh); ' +
  'eval "$ssh -o BatchMode=yes -o ConnectTimeout=5 \\"\\$@\\""; }; takt_ssh';

/** True for a variable that git, or what git starts to reach an upstream, is given from whoever calls takt. */
export function isKeptForGit(name: string): boolean {
  return KEPT.has(name) || KEPT_PREFIXES.some((prefix) => name.startsWith(prefix)) || /_proxy$/i.test(name);
}

/**
 * Makes git's environment from a process's own. Addresses of agents, proxies and certificates stay, and so do settings
 * that are given by variables; whatever would point git at another repository goes. Without `interactive`, git asks
 * nobody for anything and fails instead.
 */
export function gitEnvironment(
  own: NodeJS.ProcessEnv,
  {
    interactive,
    hasAskpass = false,
  }: {
    readonly interactive: boolean;
    /** A program that answers git's questions without a person, as editors and build machines have, is kept. */
    readonly hasAskpass?: boolean;
  },
): GitEnvironment {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(own)) {
    const isForPerson =
      (interactive && KEPT_WHERE_A_PERSON_ANSWERS.includes(name)) || (hasAskpass && name === 'GIT_ASKPASS');
    if (value !== undefined && (isKeptForGit(name) || isForPerson)) env[name] = value;
  }
  env['LC_ALL'] = 'C';
  env['GIT_PAGER'] = 'cat';
  env['GIT_NO_REPLACE_OBJECTS'] = '1';
  // What is named last wins.
  const settings = [...givenSettings(own), ...SETTINGS];
  env['GIT_CONFIG_COUNT'] = String(settings.length);
  settings.forEach(([key, value], index) => {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  });
  if (interactive) return { env };
  env['GIT_EDITOR'] = ':';
  env['GIT_TERMINAL_PROMPT'] = '0';
  // Empty means "none" to git, where an absent one would fall back on configuration.
  if (!hasAskpass) env['GIT_ASKPASS'] = '';
  env['SSH_ASKPASS'] = '';
  env['SSH_ASKPASS_REQUIRE'] = 'never';
  env['GCM_INTERACTIVE'] = 'never';
  if (env['GIT_SSH_COMMAND'] === undefined && env['GIT_SSH'] === undefined) {
    env['GIT_SSH_COMMAND'] = QUIET_SSH;
    env['GIT_SSH_VARIANT'] ??= 'ssh';
  }
  return { env };
}

/** The settings that whoever calls takt gives git by variables (git-config(1), ENVIRONMENT). */
function givenSettings(own: NodeJS.ProcessEnv): [key: string, value: string][] {
  const count = Number(own['GIT_CONFIG_COUNT'] ?? 0);
  if (!Number.isInteger(count) || count < 0 || count > GIVEN_SETTINGS_LIMIT) return [];
  return Array.from({ length: count }, (_, index) => [
    own[`GIT_CONFIG_KEY_${index}`] ?? '',
    own[`GIT_CONFIG_VALUE_${index}`] ?? '',
  ]).filter((pair): pair is [string, string] => pair[0] !== '');
}

let ownEnvironment: GitEnvironment | undefined;

/** The environment of this process's git, without prompts. */
export function quietEnvironment(): Readonly<Record<string, string>> {
  ownEnvironment ??= gitEnvironment(process.env, { interactive: false });
  return ownEnvironment.env;
}

/**
 * Runs git in a folder of takt's own, which means a root repo or something that takt has just made, and returns what it
 * printed. Faults: GIT_FAILED with git's words as detail, DISK_FULL.
 */
export async function git(folder: string, args: readonly string[], options: GitOptions): Promise<string> {
  return (await gitBytes(folder, args, options)).toString(options.encoding ?? 'utf8');
}

/** The same for what need not be text, as the names of refs. */
export async function gitBytes(folder: string, args: readonly string[], options: GitOptions): Promise<Buffer> {
  const result = await gitResult(folder, args, options);
  if ((options.okCodes ?? [0]).includes(result.exitCode ?? -1)) return result.stdout;
  throw await gitFault(folder, args, result);
}

/** Like `git`, but the exit code is an answer. */
export async function gitResult(folder: string, args: readonly string[], options: GitOptions): Promise<ProcessResult> {
  return runProcess('git', args, {
    cwd: folder,
    // A folder that is no repository must not make git take one further up, such as a home's own.
    env: { ...(options.env ?? quietEnvironment()), GIT_CEILING_DIRECTORIES: dirname(folder) },
    signal: options.signal,
    // What git starts to talk to an upstream outlives it, and would wait for a silent one for ever.
    hasOwnGroup: (options.env ?? quietEnvironment())['GIT_TERMINAL_PROMPT'] === '0',
    ...(options.input === undefined ? {} : { input: options.input }),
    ...(options.outputLimitBytes === undefined ? {} : { outputLimitBytes: options.outputLimitBytes }),
    ...(options.onStderr === undefined ? {} : { onStderr: options.onStderr }),
  });
}

/** The fault for a git process that failed; `DISK_FULL` if nothing can be written where it worked. */
export async function gitFault(folder: string, args: readonly string[], result: ProcessResult): Promise<Fault> {
  const detail = result.stderr.trim();
  const verb = args.find((arg, index) => !arg.startsWith('-') && args[index - 1] !== '-c') ?? '';
  if (result.startError !== null) {
    return new Fault('GIT_FAILED', `git could not be started in ${folder} (${result.startError}).`, {
      hint: 'Install git, and see that this folder is there.',
    });
  }
  if (await isDiskFull(folder)) return new Fault('DISK_FULL', `The disk of ${folder} is full.`, { detail });
  const how = result.isOverLimit ? 'printed more than it may' : `exit code ${result.exitCode ?? result.signal}`;
  return new Fault('GIT_FAILED', `git ${verb} failed in ${folder} (${how}).`, { detail });
}

/** Lines of a text without the empty ones. */
export function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
