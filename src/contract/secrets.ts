/** What stands for a secret wherever a text is shown. */
export const HIDDEN = '***';

/** Keys of Anthropic, GitHub and GitLab begin so, by the documentation of each. */
const KNOWN_TOKEN = /\b(?:sk-ant-|gh[opsur]_|github_pat_|glpat-)[A-Za-z0-9_-]{8,}/g;
/** `user:password@` of a URL, up to the last `@` before its path. */
const PASSWORD = /\b([a-z][a-z0-9+.-]{0,30}:\/\/)([^\s/@:]*):[^\s/]+@/gi;
/** A token in the place of the user's name, as hosts of git take it: nobody's name is as long. */
const TOKEN_AS_NAME = /\b(https?:\/\/)[^\s/@:]{20,}@/gi;
/** `user:password@host:path`, as somebody writes it who takes SSH for a URL; a sentence has no such word. */
const SSH_PASSWORD =
  /(?<![^\s'"`(])([^\s'"`(/@:]{1,64}):[^\s'"`/]{1,1000}@(?=(?:\[[0-9a-f:.]+\]|[a-z0-9_][a-z0-9_.-]{0,252}):[^\s:])/gi;
/** What a URL asks with, up to its end. */
const QUERY = /(\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s?#'"<>]{0,2000})([?#][^\s'"<>]*)/gi;
/** A part of it whose name says that it is secret; a stop or bracket after the value is the sentence's. */
const SECRET_PART =
  /([?#&;](?:[^\s?#&;=]*(?:token|secret|password|passwd|passphrase|credentials?|auth|key|signature)|(?:[^\s?#&;=]*[_.-])?(?:pass|pwd|pw|pat|sig|jwt))=)[^\s&;]*?(?=[).,:]{0,3}(?:[&;]|$))/gi;

/**
 * A text in which no address shows its secrets: `https://ada:***@host/app.git?token=***`. For whatever is printed, logged
 * or sent; git itself is given the address as it is.
 */
export function withoutSecrets(text: string): string {
  return text
    .replaceAll(PASSWORD, `$1$2:${HIDDEN}@`)
    .replaceAll(TOKEN_AS_NAME, `$1${HIDDEN}@`)
    .replaceAll(SSH_PASSWORD, `$1:${HIDDEN}@`)
    .replaceAll(QUERY, (_, address: string, query: string) => address + query.replaceAll(SECRET_PART, `$1${HIDDEN}`))
    .replaceAll(KNOWN_TOKEN, HIDDEN);
}

/** True if a text holds what is known to be a key by how it begins. */
export const holdsToken = (text: string): boolean => text.search(KNOWN_TOKEN) !== -1;
