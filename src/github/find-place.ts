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
  const rewritten = (await outputOf('git', ['ls-remote', '--get-url', '--', address], finding))?.trim() || address;
  const place = placeInAddress(rewritten);
  if (place === null) throw new Fault('UPSTREAM_NOT_GITHUB', `The upstream ${rewritten} is no repository on GitHub.`);
  const alias = sshHostIn(rewritten);
  if (alias === null || alias.endsWith('github.com')) return place;
  const host = placeInAddress(`ssh://${await sshHost(alias, finding)}/${place.owner}/${place.name}`)?.host;
  return host === undefined ? place : { ...place, host };
}

/** `ssh -G` prints the configuration that would hold for a host, and connects to nobody. */
async function sshHost(alias: string, finding: Finding): Promise<string> {
  const text = await outputOf('ssh', ['-G', '--', alias], finding);
  return text?.match(/^hostname (\S+)$/m)?.[1] ?? alias;
}

/** What a program prints; undefined if it fails, or thinks for too long. */
async function outputOf(
  program: string,
  args: readonly string[],
  { folder, env, signal }: Finding,
): Promise<string | undefined> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(LOOK_LIMIT_MS)]);
  try {
    const { exitCode, stdout } = await runProcess(program, args, {
      cwd: folder,
      env,
      signal: limited,
      hasOwnGroup: true,
    });
    return exitCode === 0 ? stdout.toString('utf8') : undefined;
  } catch (error) {
    signal.throwIfAborted();
    if ((error as Error).name === 'TimeoutError') return undefined;
    throw error;
  }
}
