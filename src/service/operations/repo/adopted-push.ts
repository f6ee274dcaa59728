import { Fault } from '../../../contract/faults.ts';
import { withoutSecrets } from '../../../contract/secrets.ts';
import type { NormalClone } from '../../../git/normal-clone.ts';
import { pushPlaceOf } from '../../../git/push-place.ts';
import { explainUpstream } from './explain-upstream.ts';
import { upstreamAddress } from './upstream-address.ts';

/** Where the branches of a repo go of which somebody has a clone: to where plain git pushes from there. */
export interface AdoptedPush {
  /** Undefined where that is the upstream itself, or where the user named another place. */
  readonly pushUrl: string | undefined;
  /** Says with a fault of that place how it came to be asked. */
  explaining<Value>(work: Promise<Value>): Promise<Value>;
  readonly notices: readonly string[];
}

interface Adopted {
  readonly remote: string;
  readonly upstream: string;
  /** Where the user wants branches to go. */
  readonly pushUrl?: string | undefined;
}

const UNREAD =
  'Its configuration includes other files, which takt does not read: where they name another place to push to, --push-url takes it.';

/** Fault INPUT_INVALID where the clone pushes to what is no address for takt. */
export function adoptedPush(clone: NormalClone, adopted: Adopted): AdoptedPush {
  if (adopted.pushUrl !== undefined) return { pushUrl: undefined, explaining: (work) => work, notices: [] };
  const { remote, addresses, setting } = pushPlaceOf(clone, adopted.remote);
  const [first, ...others] = addresses;
  if (first === undefined) {
    const notice = `That clone pushes to ${withoutSecrets(remote)} (${setting}), which is none of its remotes, so that branches go to the upstream; --push-url names another place.`;
    return { pushUrl: undefined, explaining: (work) => work, notices: [notice] };
  }
  const address = addressOf(first, `${setting} of ${clone.folder}`);
  const isElsewhere = address !== adopted.upstream;
  return {
    pushUrl: isElsewhere ? address : undefined,
    explaining: (work) =>
      explainUpstream(work, `The clone ${clone.folder} pushes there (${setting}); --push-url names another place.`),
    notices: [
      ...(isElsewhere
        ? [`Branches are pushed to ${withoutSecrets(address)}, as that clone does (${setting}); it is the push_url.`]
        : []),
      ...(clone.hasIncludes && !isElsewhere ? [UNREAD] : []),
      ...(others.length === 0
        ? []
        : [
            `That clone pushes to more places at once, which were not taken: ${others.map(withoutSecrets).join(', ')}.`,
          ]),
    ],
  };
}

function addressOf(written: string, whose: string): string {
  try {
    return upstreamAddress(written);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Fault(error.code, `Branches would be pushed as ${whose} says: ${error.message}`, {
      hint: 'Name the place that branches are pushed to with --push-url: a fork, or the upstream.',
      cause: error,
    });
  }
}
