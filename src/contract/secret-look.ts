import { HIDDEN, holdsToken, withoutSecrets } from './secrets.ts';

/** Names of variables that hold a secret by what they are called; paths and sockets of agents are none. */
const SECRET_NAME = /(^|_)(TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|AUTH|KEY|APIKEY|CUSTOM_HEADERS)$/i;
/** Name or password before the host, of a URL or of a proxy that is written without a scheme. */
const USER_PART = /(:\/\/|^)[^\s/@]+(?=@[^\s/@]+)/;

/** True if a variable's name or value looks like a secret: shown values are read by others, and end up in logs. */
export function looksSecret(name: string, value: string): boolean {
  return shownValue(name, value) !== value;
}

/** The value as it may be shown: a secret is left out, and of an address only what is secret in it. */
export function shownValue(name: string, value: string): string {
  // A path to a key is no key.
  if (holdsToken(value) || (SECRET_NAME.test(name) && !/^[~/]/.test(value))) return HIDDEN;
  const isAddress = /:\/\//.test(value) || /_proxy$/i.test(name);
  return withoutSecrets(isAddress ? value.replace(USER_PART, `$1${HIDDEN}`) : value);
}
