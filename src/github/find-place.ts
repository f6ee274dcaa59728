import { Fault } from '../contract/faults.ts';
import type { GithubPlace } from '../contract/pull-request.ts';
import { runProcess } from '../platform/run-process.ts';
import { placeInAddress, sshHostIn } from './github-address.ts';

export interface Finding {
  /** Any folder; nothing in it is read as a repository. */
  readonly folder: string;
  /** The environment of git and ssh. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

const LOOK_LIMIT_MS = 5_000;

/**
 * The repository on GitHub that an address leads to, as git reads it: `url.….insteadOf` of the user's configuration is
 * applied, and an alias of the ssh configuration is resolved. Fault UPSTREAM_NOT_GITHUB for what cannot be one.
 */
export async function findPlace(address: string, finding: Finding): Promise<GithubPlace> {
  const rewritten = (await firstLine('git', ['ls-remote', '--get-url', '--', address], finding)) ?? address;
  const place = placeInAddress(rewritten);
  if (place === null) throw new Fault('UPSTREAM_NOT_GITHUB', `The upstream ${rewritten} is no repository on GitHub.`);
  const alias = sshHostIn(rewritten);
  if (alias === null || alias.endsWith('github.com')) return place;
  const host = placeInAddress(`ssh://${await sshHost(alias, finding)}/${place.owner}/${place.name}`)?.host;
  return host === undefined ? place : { ...place, host };
}

/** `ssh -G` prints the configuration that would hold for a host, and connects to nobody. */
async function sshHost(alias: string, { env, signal }: Finding): Promise<string> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(LOOK_LIMIT_MS)]);
  const { exitCode, stdout } = await runProcess('ssh', ['-G', '--', alias], { env, signal: limited });
  const line = stdout.toString('utf8').match(/^hostname (\S+)$/m);
  return exitCode === 0 && line !== null ? line[1]! : alias;
}

async function firstLine(
  program: string,
  args: readonly string[],
  { folder, env, signal }: Finding,
): Promise<string | undefined> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(LOOK_LIMIT_MS)]);
  const { exitCode, stdout } = await runProcess(program, args, { cwd: folder, env, signal: limited });
  const line = stdout.toString('utf8').split('\n')[0]?.trim();
  return exitCode === 0 && line !== '' ? line : undefined;
}
