import type { NormalClone } from './normal-clone.ts';

/** Where plain git in a clone pushes a new branch. */
export interface PushPlace {
  readonly remote: string;
  /** A push goes to each of them; none if the clone has no such remote. */
  readonly addresses: readonly string[];
  /** The setting that says so. */
  readonly setting: string;
}

/** What git takes for the remote of a branch that has none of its own. */
const DEFAULT_REMOTE = 'origin';

/**
 * The place that new branches go to, as those of workspaces are, in a clone one remote of which is the upstream:
 * `remote.pushDefault`, or else `origin`, or else that remote. What is set for single branches is for those alone.
 */
export function pushPlaceOf({ pushAddresses, pushDefault }: NormalClone, remote: string): PushPlace {
  const other = pushDefault ?? (pushAddresses.has(DEFAULT_REMOTE) ? DEFAULT_REMOTE : remote);
  const found = pushAddresses.get(other);
  if (pushDefault !== null && pushDefault !== remote)
    return { remote: other, addresses: found?.addresses ?? [], setting: 'remote.pushDefault' };
  const setting = found?.by === 'pushInsteadOf' ? 'url.….pushInsteadOf' : `remote.${other}.${found?.by ?? 'url'}`;
  return { remote: other, addresses: found?.addresses ?? [], setting };
}
