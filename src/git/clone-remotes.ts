import { isAbsolute, resolve } from 'node:path';
import type { ConfigValue } from './foreign-config.ts';

/** What a clone's configuration says of its remotes, with addresses as plain git would use them there. */
export interface CloneRemotes {
  /** What is fetched from, by the remote's name. */
  readonly remotes: ReadonlyMap<string, string>;
  /** What is pushed to, by the remote's name; also by an address that stands for a name in `pushDefault`. */
  readonly pushAddresses: ReadonlyMap<string, PushAddresses>;
  /** The remote that all branches are pushed to (`remote.pushDefault`); null if it does not say. */
  readonly pushDefault: string | null;
}

export interface PushAddresses {
  /** A push goes to each of them. */
  readonly addresses: readonly string[];
  /** The kind of setting that says so. */
  readonly by: 'pushurl' | 'pushInsteadOf' | 'url';
}

/** The keys that `cloneRemotes` reads, for `git config --get-regexp`. */
export const REMOTE_KEYS = 'remote\\..*\\.(push)?url|remote\\.pushdefault|url\\..*\\.(push)?insteadof';

/** Reads the values of `REMOTE_KEYS`, in their order; `top` is what relative paths are relative to. */
export function cloneRemotes(values: readonly ConfigValue[], top: string): CloneRemotes {
  const rewrite = rewriterOf(values, /^url\.(.*)\.insteadof$/s);
  const rewritePush = rewriterOf(values, /^url\.(.*)\.pushinsteadof$/s);
  const whole = (address: string): string => wholeAddress(rewrite(address) ?? address, top);
  const urls = listsOf(values, /^remote\.(.+)\.url$/s);
  const pushUrls = listsOf(values, /^remote\.(.+)\.pushurl$/s);

  const pushAddresses = new Map<string, PushAddresses>();
  for (const name of new Set([...urls.keys(), ...pushUrls.keys()])) {
    const [own, pushed] = [urls.get(name) ?? [], pushUrls.get(name) ?? []];
    const rewritten = own.flatMap((url) => rewritePush(url) ?? []).map((address) => wholeAddress(address, top));
    // As remote.c has it: what is written as an address of pushes is no longer subject to pushInsteadOf.
    if (pushed.length > 0) pushAddresses.set(name, { addresses: pushed.map(whole), by: 'pushurl' });
    else if (rewritten.length > 0) pushAddresses.set(name, { addresses: rewritten, by: 'pushInsteadOf' });
    else pushAddresses.set(name, { addresses: own.map(whole), by: 'url' });
  }
  const pushDefault = values.findLast(([key]) => key === 'remote.pushdefault')?.[1] ?? null;
  // git takes for an address what is no remote's name; a mere word is rather a name of what is gone.
  if (pushDefault !== null && !pushAddresses.has(pushDefault) && /[/:]/.test(pushDefault)) {
    const rewritten = rewritePush(pushDefault);
    const address = rewritten === undefined ? whole(pushDefault) : wholeAddress(rewritten, top);
    pushAddresses.set(pushDefault, { addresses: [address], by: 'url' });
  }
  return {
    // The first address is the one that is fetched from.
    remotes: new Map([...urls].map(([name, [first = '']]) => [name, whole(first)])),
    pushAddresses,
    pushDefault,
  };
}

/** The values of each name that a key holds; an empty one takes back those before it, as git-config(1) says of remotes. */
function listsOf(values: readonly ConfigValue[], key: RegExp): Map<string, string[]> {
  const lists = new Map<string, string[]>();
  for (const [written, value] of values) {
    const name = key.exec(written)?.[1];
    if (name === undefined) continue;
    if (value === '') lists.delete(name);
    else lists.set(name, [...(lists.get(name) ?? []), value]);
  }
  return lists;
}

/**
 * What the clone itself says that an address becomes, by the longest beginning that fits; undefined where none does. What
 * the user's own configuration says is git's to apply.
 */
function rewriterOf(values: readonly ConfigValue[], key: RegExp): (address: string) => string | undefined {
  const rules = values
    .flatMap(([written, prefix]) => {
      const stem = key.exec(written)?.[1];
      return stem === undefined || prefix === '' ? [] : [{ stem, prefix }];
    })
    .toSorted((one, other) => other.prefix.length - one.prefix.length);
  return (address) => {
    const rule = rules.find(({ prefix }) => address.startsWith(prefix));
    return rule === undefined ? undefined : rule.stem + address.slice(rule.prefix.length);
  };
}

/** git takes an address without a colon before its first slash for a path, and follows a relative one from the top. */
function wholeAddress(address: string, top: string): string {
  const colon = address.indexOf(':');
  const slash = address.indexOf('/');
  const isPath = colon === -1 || (slash !== -1 && slash < colon);
  return isPath && !isAbsolute(address) && !address.startsWith('~') ? resolve(top, address) : address;
}
