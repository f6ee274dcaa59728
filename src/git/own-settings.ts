import { Fault } from '../contract/faults.ts';
import { configValues } from './foreign-config.ts';
import { gitResult } from './git.ts';
import type { Transport } from './transport.ts';

type Asking = { readonly env: Readonly<Record<string, string>>; readonly signal: AbortSignal };

/** The settings that git has for whoever asks it, whatever the repository; without them it works in none. */
export type OwnSettings =
  | { readonly kind: 'read'; readonly settings: ReadonlyMap<string, string> }
  | { readonly kind: 'not valid'; readonly words: string }
  | { readonly kind: 'no git'; readonly startError: string };

/** No repository, whose own settings would count. */
const NEUTRAL_FOLDER = '/';

/** Keys are as git writes them, section and variable in small letters; of several values the last one counts. */
export async function ownSettings(asking: Asking): Promise<OwnSettings> {
  const { exitCode, stdout, stderr, startError } = await gitResult(NEUTRAL_FOLDER, ['config', '-z', '--list'], asking);
  if (startError !== null) return { kind: 'no git', startError };
  if (exitCode !== 0) return { kind: 'not valid', words: stderr.trim().split('\n')[0]! };
  // The list takes every value as it is written. What reads a blob reads the values as all of git's work does.
  const tried = await gitResult(NEUTRAL_FOLDER, ['hash-object', '--stdin'], { ...asking, input: '' });
  if (tried.exitCode !== 0) return { kind: 'not valid', words: tried.stderr.trim().split('\n')[0]! };
  return { kind: 'read', settings: new Map(configValues(stdout)) };
}

/** git-config(1), `protocol.allow`: `never` refuses; what is not set is allowed for all that takt uses. */
export function isProtocolRefused(settings: ReadonlyMap<string, string>, scheme: string): boolean {
  const allow = settings.get(`protocol.${scheme}.allow`) ?? settings.get('protocol.allow');
  return allow?.toLowerCase() === 'never';
}

/** Why git cannot reach any upstream of this kind, whatever that one is; undefined if it is not for git's settings. */
export async function ownGitFault(transport: Transport, asking: Asking): Promise<Fault | undefined> {
  const own = await ownSettings(asking);
  switch (own.kind) {
    case 'no git':
      return new Fault('GIT_FAILED', `git could not be started (${own.startError}).`, {
        hint: 'Install git (`apt install git`), or mend PATH.',
      });
    case 'not valid':
      return new Fault('GIT_FAILED', `git cannot read its configuration: ${own.words}`, {
        hint: 'Mend the file that git names.',
      });
    case 'read': {
      const scheme = schemeOf(transport);
      if (!isProtocolRefused(own.settings, scheme)) return undefined;
      return new Fault('UPSTREAM_DENIED', `git reaches nothing by ${scheme}: protocol.${scheme}.allow is never.`, {
        hint: protocolFix(scheme),
      });
    }
  }
}

/** What lets git use a protocol again; `file` is git's own default. */
export const protocolFix = (scheme: string): string =>
  `\`git config --global protocol.${scheme}.allow ${scheme === 'file' ? 'user' : 'always'}\` allows it.`;

/** As the settings `protocol.….allow` name it. */
export function schemeOf(transport: Transport): string {
  switch (transport.kind) {
    case 'http':
      return transport.url.slice(0, transport.url.indexOf(':')).toLowerCase();
    case 'ssh':
      return 'ssh';
    case 'disk':
      return 'file';
    case 'socket':
      return 'git';
  }
}
