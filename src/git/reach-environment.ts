import { createHash, randomBytes } from 'node:crypto';
import { isKeptForGit } from './git.ts';

/** Hashes of variables, comparable with those of whoever uses the same salt. */
export interface HashedEnvironment {
  /** Hexadecimal. */
  readonly salt: string;
  /** By the name of the variable: SHA-256 of salt and value, hexadecimal. */
  readonly environment: Readonly<Record<string, string>>;
}

const SALT_BYTES = 16;
/** Kept for git, but no reason why one process reaches an upstream and another does not. */
const WITHOUT_EFFECT = ['PATH', 'USER', 'LOGNAME', 'TMPDIR', 'TZ', 'TERM', 'SSH_AGENT_PID'];
/** Of the desktop's variables those that name a folder of the user's; the others differ from window to window. */
const folderOfUser = /^XDG_(CONFIG_HOME|CACHE_HOME|DATA_HOME|RUNTIME_DIR)$/;

/** The variables that decide whether an upstream is reached, as hashes: who is told them learns no value. */
export function hashedEnvironment(
  own: NodeJS.ProcessEnv,
  salt = randomBytes(SALT_BYTES).toString('hex'),
): HashedEnvironment {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(own)) {
    if (value === undefined || !hasEffect(name)) continue;
    environment[name] = createHash('sha256').update(salt).update(value).digest('hex');
  }
  return { salt, environment };
}

function hasEffect(name: string): boolean {
  if (name.startsWith('GIT_CONFIG_')) return true;
  if (!isKeptForGit(name) || WITHOUT_EFFECT.includes(name)) return false;
  return !name.startsWith('XDG_') || folderOfUser.test(name);
}

/** The names of variables that this process has otherwise than the one that the hashes are of, or that only one has. */
export function differingVariables(own: NodeJS.ProcessEnv, other: HashedEnvironment): string[] {
  const { environment } = hashedEnvironment(own, other.salt);
  const names = new Set([...Object.keys(environment), ...Object.keys(other.environment)]);
  return [...names].filter((name) => environment[name] !== other.environment[name]).toSorted();
}
