import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Loose, openService, type Reply, type TestService } from './open-service.ts';

export interface Adopting {
  readonly opened: TestService;
  readonly upstream: string;
  readonly clone: string;
  add(more?: object, name?: string): Promise<Reply>;
  /** Commits in the clone, on a branch of that name. */
  commit(branch: string, file?: string): Promise<string>;
  root(name?: string): string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A clone that somebody works in, of a bare upstream. */
export async function withClone(): Promise<Adopting> {
  const opened = await openService();
  const upstream = await opened.upstream('app', { 'README.md': 'app\n' });
  const clone = join(opened.folder, 'my clone');
  await opened.git(opened.folder, 'clone', '-q', upstream, clone);
  return {
    opened,
    upstream,
    clone,
    add: (more = {}, name = 'app') =>
      opened.ask('/api/repos', { method: 'POST', body: { name, upstream: clone, ...more } }),
    async commit(branch, file = `${branch.replaceAll('/', '-')}.txt`) {
      await opened.git(clone, 'checkout', '-q', '-B', branch);
      await writeFile(join(clone, file), branch);
      await opened.git(clone, 'add', '-A');
      await opened.git(clone, 'commit', '-qm', branch);
      return opened.git(clone, 'rev-parse', 'HEAD');
    },
    root: (name = 'app') => join(opened.home, 'root', name),
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]();
    },
  };
}

/** Code, sentence and hint of a refusal. */
export const said = ({ body }: { body: Loose }): string[] => [body.fault?.code, body.fault?.message, body.fault?.hint];
