import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import type { AttemptWork } from '../contract/attempt.ts';
import { Fault } from '../contract/faults.ts';
import type { Settings } from '../contract/settings.ts';

/** How an attempt reaches the model; names where the key is, never the key. */
export type ModelAccess = Extract<AttemptWork, { kind: 'agent' }>['modelAccess'];

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What is sent to the model's address. `oauth` tokens are those of a Claude subscription; Claude Code behaves
 * differently with them (it reports the limits of the subscription), so it has to know.
 */
export interface Credential {
  readonly kind: 'apiKey' | 'bearer' | 'oauth';
  readonly secret: string;
}

/** A credential, or the sentence that says why there is none. */
export type CredentialFound = { readonly credential: Credential } | { readonly missing: string };

export const ANTHROPIC_URL = 'https://api.anthropic.com';

/** The file in which Claude Code keeps a login, within its configuration folder. */
const LOGIN_FILE = '.credentials.json';
const OAUTH_TOKEN_PREFIX = 'sk-ant-oat';
const KEY_FILE_LIMIT_BYTES = 16 * 1024;

const Login = z.looseObject({
  claudeAiOauth: z.looseObject({ accessToken: z.string().min(1), expiresAt: z.number().nullish() }),
});

/**
 * How this home reaches a model: the key file of the settings, else a variable of the environment, else the user's own
 * login. Reads the credential once, so that what is missing is known before a run starts; it is not kept.
 * `homeFolder` is the user's, for `~`. Faults with MODEL_ACCESS_MISSING.
 */
export function findModelAccess(from: {
  environment: Environment;
  settings: Settings;
  homeFolder: string;
}): ModelAccess {
  const access = nameModelAccess(from);
  const found = readCredential(access, from.environment);
  if ('missing' in found) throw new Fault('MODEL_ACCESS_MISSING', found.missing);
  return access;
}

/** The same in words, for people: what it is, or why there is none. */
export function describeModelAccess(from: Parameters<typeof findModelAccess>[0]): { works: boolean; what: string } {
  try {
    const access = findModelAccess(from);
    return { works: true, what: `${wordsFor(access)}, for ${access.baseUrl}` };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { works: false, what: error.message };
  }
}

function wordsFor(access: ModelAccess): string {
  switch (access.kind) {
    case 'environment':
      return 'a key in the environment';
    case 'keyFile':
      return `the key file ${access.file}`;
    case 'login':
      return `the login of Claude Code in ${access.configFolder}`;
  }
}

function nameModelAccess({
  environment,
  settings,
  homeFolder,
}: {
  environment: Environment;
  settings: Settings;
  homeFolder: string;
}): ModelAccess {
  const ownUrl = settings.model.base_url ?? nonEmpty(environment['ANTHROPIC_BASE_URL']);
  const baseUrl = ownUrl ?? ANTHROPIC_URL;
  const keyFile = settings.model.key_file;
  if (keyFile !== undefined) return { kind: 'keyFile', baseUrl, file: absoluteKeyFile(keyFile, homeFolder) };
  if (environmentCredential(environment) !== undefined) return { kind: 'environment', baseUrl };
  if (ownUrl !== undefined) {
    // A login is for Anthropic's own service; handing its token to another host is for the user to decide, by name.
    throw new Fault('MODEL_ACCESS_MISSING', `There is no key for the model at ${ownUrl}.`, {
      hint: 'Set `model.key_file` in settings.yaml, or ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN for the service.',
    });
  }
  return {
    kind: 'login',
    baseUrl,
    configFolder: nonEmpty(environment['CLAUDE_CONFIG_DIR']) ?? join(homeFolder, '.claude'),
  };
}

function absoluteKeyFile(file: string, homeFolder: string): string {
  if (file.startsWith('~/')) return join(homeFolder, file.slice(2));
  if (isAbsolute(file)) return file;
  throw new Fault('CONFIG_INVALID', `settings.yaml: model.key_file is "${file}", which is not an absolute path.`, {
    hint: 'Begin it with `/` or `~/`.',
  });
}

/**
 * Reads the credential that an access names, freshly each time: logins are renewed and key files replaced while takt
 * runs.
 */
export function readCredential(
  access: ModelAccess,
  environment: Environment,
  nowMs: number = Date.now(),
): CredentialFound {
  switch (access.kind) {
    case 'environment': {
      const credential = environmentCredential(environment);
      return credential === undefined
        ? { missing: 'The environment of the service holds no key for the model any more.' }
        : { credential };
    }
    case 'keyFile':
      return readKeyFile(access.file);
    case 'login':
      return readLogin(join(access.configFolder, LOGIN_FILE), nowMs);
  }
}

function environmentCredential(environment: Environment): Credential | undefined {
  const apiKey = nonEmpty(environment['ANTHROPIC_API_KEY']);
  if (apiKey !== undefined) return credentialOf(apiKey);
  const oauthToken = nonEmpty(environment['CLAUDE_CODE_OAUTH_TOKEN']);
  if (oauthToken !== undefined) return { kind: 'oauth', secret: oauthToken };
  const authToken = nonEmpty(environment['ANTHROPIC_AUTH_TOKEN']);
  return authToken === undefined ? undefined : { kind: 'bearer', secret: authToken };
}

function readKeyFile(file: string): CredentialFound {
  const read = readSmallFile(file);
  if ('missing' in read) return { missing: `The key file ${file} ${read.missing}.` };
  // Anyone who can read it can spend the operator's money.
  if ((read.mode & 0o077) !== 0) return { missing: `The key file ${file} can be read by others; \`chmod 600\` it.` };
  const key = read.text.trim();
  if (key === '' || /\s/.test(key)) return { missing: `The key file ${file} does not hold one key and nothing else.` };
  return { credential: credentialOf(key) };
}

function readLogin(file: string, nowMs: number): CredentialFound {
  const read = readSmallFile(file);
  if ('missing' in read) return { missing: `No key for the model is set, and the login ${file} ${read.missing}.` };
  const login = loginIn(read.text);
  if (login === undefined) return { missing: `The file ${file} holds no login of Claude Code that takt can read.` };
  const { accessToken, expiresAt } = login.claudeAiOauth;
  // Renewing replaces the refresh token as well, so it stays with Claude Code, which owns the file.
  if (typeof expiresAt === 'number' && expiresAt <= nowMs) {
    return {
      missing: `The login in ${file} has expired; start \`claude\` once to renew it, or set CLAUDE_CODE_OAUTH_TOKEN (\`claude setup-token\`) for the service.`,
    };
  }
  return { credential: { kind: 'oauth', secret: accessToken } };
}

function loginIn(text: string): z.infer<typeof Login> | undefined {
  try {
    return Login.safeParse(JSON.parse(text)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A small regular file's text and mode, or the end of the sentence that says why not. */
function readSmallFile(file: string): { text: string; mode: number } | { missing: string } {
  try {
    const facts = statSync(file);
    if (!facts.isFile()) return { missing: 'is not a file' };
    if (facts.size > KEY_FILE_LIMIT_BYTES) return { missing: 'is too large' };
    return { text: readFileSync(file, 'utf8'), mode: facts.mode };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { missing: 'does not exist' };
    if (code === 'EACCES') return { missing: 'may not be read by takt' };
    throw error;
  }
}

const credentialOf = (secret: string): Credential => ({
  kind: secret.startsWith(OAUTH_TOKEN_PREFIX) ? 'oauth' : 'apiKey',
  secret,
});

const nonEmpty = (value: string | undefined): string | undefined =>
  value === undefined || value.trim() === '' ? undefined : value.trim();
