import { randomBytes } from 'node:crypto';
import { isSame } from './access.ts';

/** Links that hand a browser the token: each works once, for a minute. */
export interface OneTimeLinks {
  create(): { once: string; expiresAtMs: number };
  /** True for a link that was made and not used; it is used up by asking. */
  take(once: string): boolean;
}

const VALID_MS = 60_000;
const OPEN_LIMIT = 20;

export function createOneTimeLinks(now: () => number = Date.now): OneTimeLinks {
  let links: { once: string; expiresAtMs: number }[] = [];
  const dropOld = (): void => {
    links = links.filter(({ expiresAtMs }) => expiresAtMs > now()).slice(-OPEN_LIMIT);
  };
  return {
    create() {
      const link = { once: randomBytes(32).toString('hex'), expiresAtMs: now() + VALID_MS };
      links.push(link);
      dropOld();
      return link;
    },
    take(once) {
      dropOld();
      const found = links.find((link) => isSame(once, link.once));
      links = links.filter((link) => link !== found);
      return found !== undefined;
    },
  };
}
