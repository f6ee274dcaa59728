/** `user:password@` of an address, up to the last `@` before its path. */
const password = /\b([a-z][a-z0-9+.-]*:\/\/)([^\s/@:]*):[^\s/]+@/gi;

/** A token in the place of the user's name, as hosts of git take it: nobody's name is as long. */
const token = /\b(https?:\/\/)[^\s/@:]{20,}@/gi;

/**
 * A text in which no address shows its password: `https://ada:***@host/app.git`. For whatever is printed, logged or
 * sent; git itself is given the address as it is.
 */
export function withoutSecrets(text: string): string {
  return text.includes('://') ? text.replaceAll(password, '$1$2:***@').replaceAll(token, '$1***@') : text;
}
