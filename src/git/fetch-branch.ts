import { join } from 'node:path';
import { Fault } from '../contract/faults.ts';
import type { CommitId } from '../contract/ids.ts';
import { isThere } from '../platform/files.ts';
import { contactUpstream } from './contact.ts';
import { refCommit } from './refs.ts';
import { askUpstream, shallow } from './upstream.ts';
import { upstreamFault } from './upstream-fault.ts';

/**
 * Fetches one branch of an upstream into one ref of a root repo, which nobody else has a use for: so no ref that others
 * move is locked, and any number of these may go on at once. Gives the commit.
 * Faults: UPSTREAM_*, BRANCH_MISSING if upstream has no such branch, ROOT_DAMAGED, DISK_FULL.
 */
export async function fetchBranch(p: {
  readonly rootFolder: string;
  readonly upstream: string;
  readonly branch: string;
  readonly ref: string;
  /** The operator's environment: upstream is asked with the operator's own credentials. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onStderr?: (chunk: string) => void;
}): Promise<CommitId> {
  const { rootFolder, upstream, branch, ref } = p;
  if (!(await isThere(join(rootFolder, 'HEAD')))) throw new Fault('ROOT_DAMAGED', `${rootFolder} is no root repo.`);
  // As in every other fetch from upstream: old histories hold what git's fsck would refuse today.
  const settings = ['-c', 'fetch.writeCommitGraph=false'];
  const plain = ['--progress', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules', '--force'];
  const args = [...settings, 'fetch', ...plain, '--', upstream, `refs/heads/${branch}:${ref}`];
  const { result, contact } = await contactUpstream(rootFolder, args, p);
  if (result.exitCode === 0) {
    const commit = await refCommit(rootFolder, ref, p);
    // git leaves out, without a failure, a branch whose history the upstream does not have whole.
    if (commit === null) throw shallow(upstream);
    return commit;
  }
  const fault = await upstreamFault({ ...p, folder: rootFolder, words: result.stderr, contact });
  const isOver = contact.transport.kind !== 'disk' && (contact.isSilent || !contact.hasSpoken);
  if (fault.code === 'DISK_FULL' || isOver) throw fault;
  const { heads } = await askUpstream(rootFolder, upstream, { env: p.env, signal: p.signal });
  if (!heads.has(branch)) {
    throw new Fault('BRANCH_MISSING', `The upstream ${upstream} has no branch ${branch}.`, {
      hint: 'Name its default branch as `default_branch` of the repo in repos.yaml, then `takt repo fetch`.',
    });
  }
  // Only an upstream that says itself that it cannot go on is damaged; any other end is one of the connection.
  if (contact.transport.kind !== 'disk' && !contact.hasGivenUp) throw fault;
  throw new Fault('UPSTREAM_DAMAGED', `The upstream ${upstream} does not hand over all of ${branch}.`, {
    detail: result.stderr.trim(),
  });
}

/** What people call an upstream, for a message that stays: no login, and no path of this machine. */
export function upstreamName(upstream: string): string {
  const isUrl = upstream.includes('://');
  const address = isUrl ? upstream.replace(/[?#].*$/s, '') : upstream;
  const whole = address.replace(/\/+$/, '').replace(/\/?\.git$/, '');
  const isLocal = whole.startsWith('/') || whole.startsWith('file://');
  const path = isLocal ? whole.slice(whole.lastIndexOf('/') + 1) : afterHost(whole);
  return path.replaceAll(/\s+/g, ' ').replaceAll("'", '') || 'upstream';
}

/** `owner/name` of `https://host/owner/name`, `ssh://user@host:22/owner/name` and `user:password@host:owner/name`. */
function afterHost(address: string): string {
  const [, ofUrl] = /^[a-z][a-z0-9+.-]*:\/\/[^/]*\/+(.*)$/i.exec(address) ?? [];
  return ofUrl ?? address.replace(/^([^/@]*@)?(\[[^\]]*\]|[^/:]*):\/*/, '');
}
