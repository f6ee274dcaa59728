import { closeSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';

const CLOSE_ON_EXEC = 0o2000000;
const LAST_STANDARD_FD = 2;

/**
 * Closes the files that whoever started this process had left open for it: the work would inherit them, and an open
 * folder leads through every wall. What Node itself opens is marked to be closed for its children.
 */
export function closeInherited(): void {
  const authorities = certificateFiles();
  for (const fd of readdirSync('/proc/self/fd').map(Number)) {
    if (fd <= LAST_STANDARD_FD) continue;
    try {
      const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
      const isKept = flags === undefined || (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) !== 0;
      if (!isKept && !authorities.includes(readlinkSync(`/proc/self/fd/${fd}`))) closeSync(fd);
    } catch (error) {
      // The listing itself was one of them.
      if (!['ENOENT', 'EBADF'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
}

/**
 * Node reads these in a thread of its own while the program starts, and without that mark. Closing one under it would
 * close whatever gets the same number next. They hold public certificates, so that inheriting one gives nothing away.
 */
function certificateFiles(): string[] {
  const named = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'].flatMap((name) => process.env[name] ?? []);
  return named.flatMap((path) => {
    try {
      return [realpathSync(path)];
    } catch (error) {
      if (['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
      throw error;
    }
  });
}
