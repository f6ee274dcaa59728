/** What stands for a secret wherever a value is shown. */
export const HIDDEN = '***';

/** Names of variables that hold a secret by what they are called; paths and sockets of agents are none. */
const SECRET_NAME = /(^|_)(TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|AUTH|KEY|APIKEY|CUSTOM_HEADERS)$/i;
/** Keys of Anthropic, GitHub and GitLab begin so, by the documentation of each. */
const SECRET_VALUE = /\b(sk-ant-|gh[opsur]_|github_pat_|glpat-)[A-Za-z0-9_-]{8,}/;
/** Name or password before the host, of a URL or of a proxy that is written without a scheme. */
const USER_PART = /(:\/\/|^)[^\s/@]+(?=@[^\s/@]+)/;

/** True if a variable's name or value looks like a secret: shown values are read by others, and end up in logs. */
export function looksSecret(name: string, value: string): boolean {
  return hidesWhole(name, value) || hasUserPart(name, value);
}

/** The value as it may be shown: a secret is left out, and of an address with a password only the password. */
export function shownValue(name: string, value: string): string {
  if (hidesWhole(name, value)) return HIDDEN;
  return hasUserPart(name, value) ? value.replace(USER_PART, `$1${HIDDEN}`) : value;
}

function hidesWhole(name: string, value: string): boolean {
  // A path to a key is no key.
  return SECRET_VALUE.test(value) || (SECRET_NAME.test(name) && !/^[~/]/.test(value));
}

function hasUserPart(name: string, value: string): boolean {
  return (/:\/\//.test(value) || /_proxy$/i.test(name)) && USER_PART.test(value);
}

/** An address as it may be shown: without the password in it, and without a token that stands for a name. */
export function shownAddress(address: string): string {
  return address
    .replace(/(:\/\/[^\s/:@]*):[^\s/@]*@/, `$1:${HIDDEN}@`)
    .replace(/(:\/\/)(?:gh[opsur]_|github_pat_|glpat-)[^\s/:@]*/, `$1${HIDDEN}`);
}
