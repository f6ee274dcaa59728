/** What stands for a secret wherever a text is shown. */
export const HIDDEN = '***';

/** Keys of Anthropic, GitHub and GitLab begin so, by the documentation of each. */
const KNOWN_TOKEN = /\b(?:sk-ant-|gh[opsur]_|github_pat_|glpat-)[A-Za-z0-9_-]{8,}/g;
/** `user:password@` of a URL, up to the last `@` before its path. */
const PASSWORD = /\b([a-z][a-z0-9+.-]{0,30}:\/\/)([^\s/@:]*):([^\s/]*)@/gi;
/** What stands for a password beside a token in the place of the user's name, by the documentation of GitHub. */
const NO_PASSWORD = ['', 'x-oauth-basic'];
/** A token in the place of the user's name, as hosts of git take it: nobody's name is as long and has digits. */
const TOKEN_AS_NAME = /\b(https?:\/\/)(?=[^\s/@:]*\d)[^\s/@:]{20,}@/gi;
/**
 * `user:password@host:path`, as somebody writes it who takes SSH for a URL. The host has a dot, or the path looks like one:
 * names of images and places in files (`node:20@sha256:…`, `a.ts:12@main:3`) have neither.
 */
const SSH_PASSWORD =
  /(?<![^\s'"`(])([^\s'"`(/@:]{1,64}):[^\s'"`/]{1,1000}@(?=(?:\[[0-9a-f:.]+\]|[a-z0-9_-]{1,63}\.[a-z0-9_.-]{1,252}):[^\s:]|[a-z0-9_-]{1,63}:[^\s:]*(?:\/|\.git\b))/gi;
/** What a URL asks with, up to its end. */
const QUERY = /(\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s?#'"<>]{0,2000})([?#][^\s'"<>]*)/gi;
/** A part of it whose name says that it is secret; a stop or bracket after the value is the sentence's. */
const SECRET_PART =
  /([?#&;](?:[^\s?#&;=]*(?:token|secret|password|passwd|passphrase|credentials?|auth|signature)|(?:[^\s?#&;=]*(?:api|access|secret|private|auth|deploy|ssh|signing)[_.-]?)?key|(?:[^\s?#&;=]*[_.-])?(?:pass|pwd|pw|pat|sig|jwt))=)[^\s&;]*?(?=[).,:]{0,3}(?:[&;]|$))/gi;

/**
 * A text in which no address shows its secrets: `https://ada:***@host/app.git?token=***`. For whatever is printed, logged
 * or sent; git itself is given the address as it is.
 */
export function withoutSecrets(text: string): string {
  return text
    .replaceAll(PASSWORD, (_, scheme: string, user: string, password: string) => {
      const shown = NO_PASSWORD.includes(password) && user !== '' ? HIDDEN : user;
      return `${scheme}${shown}:${HIDDEN}@`;
    })
    .replaceAll(TOKEN_AS_NAME, `$1${HIDDEN}@`)
    .replaceAll(SSH_PASSWORD, `$1:${HIDDEN}@`)
    .replaceAll(QUERY, (_, address: string, query: string) => address + query.replaceAll(SECRET_PART, `$1${HIDDEN}`))
    .replaceAll(KNOWN_TOKEN, HIDDEN);
}

/** True if a text holds what is known to be a key by how it begins. */
export const holdsToken = (text: string): boolean => text.search(KNOWN_TOKEN) !== -1;
