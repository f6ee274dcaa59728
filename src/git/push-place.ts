import { join } from 'node:path';
import { readRegularFile } from '../platform/files.ts';
import type { NormalClone } from './normal-clone.ts';

/** Where plain git in a clone pushes what came from a remote. */
export interface PushPlace {
  readonly remote: string;
  /** A push goes to each of them; none if the clone has no such remote. */
  readonly addresses: readonly string[];
  /** The setting that says so. */
  readonly setting: string;
}

const REF_LIMIT_BYTES = 5000;

/**
 * The place that branches go to which come from a remote of the clone: the remote itself, unless the default branch or
 * all branches are pushed to another one. Without a default branch, the one that the clone took for that of the remote
 * counts.
 */
export async function pushPlaceOf(clone: NormalClone, remote: string, defaultBranch?: string): Promise<PushPlace> {
  const branch = defaultBranch ?? (await defaultBranchOf(clone, remote));
  const ofBranch = branch === undefined ? undefined : clone.pushRemotes.get(branch);
  const other = ofBranch ?? clone.pushDefault;
  if (other !== null && other !== remote)
    return {
      remote: other,
      addresses: clone.pushAddresses.get(other)?.addresses ?? [],
      setting: ofBranch === undefined ? 'remote.pushDefault' : `branch.${branch}.pushRemote`,
    };
  const own = clone.pushAddresses.get(remote);
  const setting = own?.by === 'pushInsteadOf' ? 'url.….pushInsteadOf' : `remote.${remote}.${own?.by ?? 'url'}`;
  return { remote, addresses: own?.addresses ?? [], setting };
}

/** As `git clone` writes it down; undefined for a clone that was made otherwise. */
async function defaultBranchOf({ gitFolder }: NormalClone, remote: string): Promise<string | undefined> {
  const text = await readRegularFile(join(gitFolder, 'refs', 'remotes', remote, 'HEAD'), REF_LIMIT_BYTES);
  const ref = /^ref: ([^\r\n]+)/.exec(text?.toString('utf8') ?? '')?.[1];
  const beginning = `refs/remotes/${remote}/`;
  return ref?.startsWith(beginning) ? ref.slice(beginning.length) : undefined;
}
