import { chmod, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { readTextIfThere } from '../platform/files.ts';
import { sha256 } from '../platform/sha256.ts';

/**
 * The configuration of a root repo. It has no remote: the upstream's address is takt's to know. `hooksPath` says where
 * the hooks are anyway, so that one in a user's own configuration does not hide them. A force push of a workspace's
 * branch is allowed, since it is a new run. Options that a user sends with every push are taken, and mean nothing here.
 * Pins are hidden, and fetched by the commit's id.
 */
const CONFIG = `# Written by takt, which puts it back when it changes.
[core]
	repositoryformatversion = 0
	filemode = true
	bare = true
	hooksPath = hooks
	packedRefsTimeout = 10000
	filesRefLockTimeout = 10000
[gc]
	auto = 0
[maintenance]
	auto = false
[transfer]
	hideRefs = refs/takt
[receive]
	hideRefs = refs/remotes
	autogc = false
	fsckObjects = true
	denyNonFastForwards = false
	denyDeletes = false
	advertisePushOptions = true
[uploadpack]
	allowFilter = false
	allowAnySHA1InWant = true
`;

/** HEAD of a root repo names the default branch, so the hook needs no name in its text. */
const PRE_RECEIVE = `#!/bin/sh
# Written by takt. The default branch follows upstream and takes no push.
read -r head < HEAD
refused=0
while read -r old new ref; do
  case "$ref" in
    "\${head#ref: }") echo "takt: $ref follows upstream; push the branch of a workspace." >&2; refused=1 ;;
    refs/heads/* | refs/tags/*) ;;
    *) echo "takt: $ref is neither a branch nor a tag." >&2; refused=1 ;;
  esac
done
exit $refused
`;

/** What of the configuration and the hook of a root repo is not as takt writes it. Changes nothing. */
export async function furnitureFaults(folder: string): Promise<string[]> {
  const isConfigured = await isConfigAsWritten(folder);
  const hook = await hookFault(folder, 'pre-receive', PRE_RECEIVE);
  return [...(isConfigured ? [] : ['its configuration was changed']), ...(hook === undefined ? [] : [hook])];
}

/** False if somebody changed the configuration of a root repo, so that what git says there may be for that alone. */
export async function isConfigAsWritten(folder: string): Promise<boolean> {
  return (await readTextIfThere(join(folder, 'config'))) === CONFIG;
}

/** What is wrong with a hook that is to say `text`; undefined if nothing is. */
export async function hookFault(folder: string, name: string, text: string): Promise<string | undefined> {
  const path = join(folder, 'hooks', name);
  const found = await readTextIfThere(path);
  if (found === undefined) return `the hook ${name} is missing`;
  if (found !== text) return `the hook ${name} was changed`;
  return ((await stat(path)).mode & 0o111) === 0 ? `the hook ${name} cannot be executed` : undefined;
}

/**
 * Puts configuration and hooks of a root repo in order; does nothing where they are. Gives the paths of the copies of
 * what somebody had made of them; of one that is being made, nothing is worth a copy.
 */
export async function furnishRoot(folder: string, { isNew = false } = {}): Promise<string[]> {
  const config = join(folder, 'config');
  const text = await readTextIfThere(config);
  const kept = text === CONFIG || text === undefined || isNew ? [] : [await keepCopy(config, text)];
  if (text !== CONFIG) await replaceFile(config, CONFIG, 0o644);
  return [...kept, ...(await installHook(folder, 'pre-receive', PRE_RECEIVE))];
}

/** Installs a hook whole or not at all, executable whatever the umask is. Gives the paths of copies of what was there. */
export async function installHook(folder: string, name: string, text: string): Promise<string[]> {
  const path = join(folder, 'hooks', name);
  await mkdir(join(folder, 'hooks'), { recursive: true });
  const found = await readTextIfThere(path);
  if (found === text) {
    await chmod(path, 0o755);
    return [];
  }
  const kept = found === undefined ? [] : [await keepCopy(path, found)];
  await replaceFile(path, text, 0o755);
  return kept;
}

/** Beside the file, once for each text; git runs no hook of such a name. */
async function keepCopy(path: string, text: string): Promise<string> {
  const copy = `${path}.replaced-${sha256(text).slice(0, 8)}`;
  await writeFile(copy, text, { mode: 0o600 });
  return copy;
}

async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.new`;
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    await chmod(temporary, mode);
    await rename(temporary, path);
  } catch (error) {
    // Nothing else ever looks for it.
    await rm(temporary, { force: true });
    throw error;
  }
}
