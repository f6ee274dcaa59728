import type { PullSight } from '../../contract/pull-request.ts';
import type { ReplyCache } from '../../github/conditional-api.ts';
import { ghEnvironment, GithubBusy } from '../../github/gh-api.ts';
import { lookAtPull } from '../../github/look-at-pull.ts';
import { recordLookFault, recordSight, type StoredPull } from '../../store/pull-requests.ts';
import { faultOfError } from '../http/fault-reply.ts';
import { commit, type ServiceParts } from '../parts.ts';
import { failingChecks } from './feedback-text.ts';

export type LookParts = Pick<ServiceParts, 'bus' | 'database' | 'log'>;

/** What a look at one pull request came to. */
export type Looked =
  | { readonly kind: 'seen'; readonly sight: PullSight }
  | { readonly kind: 'failed'; readonly code: string; readonly waitS: number };

/**
 * Looks at one pull request on GitHub and stores what is there. What is new is told as an event; a look that fails is
 * stored with its fault, and only the end of the signal is thrown.
 */
export async function lookAndStore(
  parts: LookParts,
  pull: StoredPull,
  { cache, signal }: { cache: ReplyCache; signal: AbortSignal },
): Promise<Looked> {
  const { database } = parts;
  const { workspace, repo, number, url } = pull;
  const beganAtMs = Date.now();
  try {
    const caller = { env: ghEnvironment(process.env), signal };
    const sight = await lookAtPull(pull.place, number, pull.sight, { cache, caller });
    const isNews = pull.fault !== null || JSON.stringify(sight) !== JSON.stringify(pull.sight);
    const failing = failingChecks({ sight }).length;
    const data = {
      repo,
      number,
      url,
      state: sight.state,
      review: sight.review,
      failing,
      comments: sight.comments.length,
    };
    commit(parts, isNews ? [{ topic: 'pr.update', workspace, data }] : [], () =>
      recordSight(database, pull, sight, beganAtMs),
    );
    return { kind: 'seen', sight };
  } catch (error) {
    signal.throwIfAborted();
    const { code, message } = faultOfError(error, parts.log);
    const isNews = pull.fault?.code !== code;
    commit(parts, isNews ? [{ topic: 'pr.update', workspace, data: { repo, number, url, fault: code } }] : [], () =>
      recordLookFault(database, pull, { code, message }),
    );
    return { kind: 'failed', code, waitS: error instanceof GithubBusy ? error.waitS : 0 };
  }
}
