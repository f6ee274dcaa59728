import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { Fault } from '../../contract/faults.ts';
import { TOKEN_COOKIE } from './access.ts';
import type { OneTimeLinks } from './one-time-links.ts';

const files = [
  { path: '/', name: 'index.html', type: 'text/html; charset=utf-8' },
  { path: '/page.js', name: 'page.js', type: 'text/javascript; charset=utf-8' },
  { path: '/page.css', name: 'page.css', type: 'text/css; charset=utf-8' },
] as const;

/** Only what the service itself serves may run, load or be called; nobody may frame it. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Serves the live page, and the one-time link that hands it the token. */
export function mountPage(app: FastifyInstance, { links, token }: { links: OneTimeLinks; token: string }): void {
  for (const { path, name, type } of files) {
    app.get(path, async (_request, reply) => {
      const text = await readFile(join(import.meta.dirname, 'page', name));
      return reply
        .headers({
          'content-type': type,
          'content-security-policy': POLICY,
          'x-content-type-options': 'nosniff',
          'referrer-policy': 'no-referrer',
          'cache-control': 'no-cache',
        })
        .send(text);
    });
  }
  app.get('/open', async (request, reply) => {
    const { once } = request.query as { once?: unknown };
    if (typeof once !== 'string' || !links.take(once)) {
      throw new Fault('ACCESS_DENIED', 'This link was used already, or is too old.', {
        hint: '`takt open` makes a new one.',
      });
    }
    return reply
      .headers({
        'set-cookie': `${TOKEN_COOKIE}=${token}; HttpOnly; SameSite=Strict; Path=/`,
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
      })
      .redirect('/', 303);
  });
}
