import { ghApi, type GhCaller, type GhReply } from './gh-api.ts';

/** Replies that were had before, by host and path; the oldest go first. */
export interface ReplyCache {
  ask(host: string, path: string, caller: GhCaller): Promise<GhReply>;
}

const KEPT_LIMIT = 2_000;

/**
 * Asks politely: what was asked before is asked for with the etag of then, and if GitHub says that nothing changed, the
 * reply of then counts. Such questions are not counted against the rate limit. It lives in memory only.
 */
export function createReplyCache(): ReplyCache {
  const kept = new Map<string, { etag: string; reply: GhReply }>();
  return {
    async ask(host, path, caller) {
      const key = `${host} ${path}`;
      const before = kept.get(key);
      const reply = await ghApi({ host, path, etag: before?.etag }, caller);
      if (reply.status === 304 && before !== undefined) return before.reply;
      const etag = reply.headers.get('etag');
      kept.delete(key);
      if (reply.status === 200 && etag !== undefined) kept.set(key, { etag, reply });
      const [oldest] = kept.keys();
      if (kept.size > KEPT_LIMIT && oldest !== undefined) kept.delete(oldest);
      return reply;
    },
  };
}
