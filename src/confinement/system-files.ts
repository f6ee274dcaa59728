import { lstatSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

/** Where programs and libraries lie beside /usr; on most systems these are links into it. */
const PROGRAM_FOLDERS = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'];

/** What programs need of /etc to resolve names, to check certificates and to find libraries; nothing with secrets. */
const ETC_NAMES = [
  'alternatives',
  'ca-certificates',
  'crypto-policies',
  'fonts',
  'gai.conf',
  'host.conf',
  'hosts',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'mime.types',
  'npmrc',
  'nsswitch.conf',
  'pki',
  'protocols',
  'resolv.conf',
  'services',
  'ssl',
  'timezone',
];
/** Debian keeps the configuration of each Java beside its version. */
const ETC_PREFIXES = ['java-'];

/** Arguments of bubblewrap that show the system: programs, libraries and some files of /etc, all of it read-only. */
export function systemBinds(): string[] {
  return ['--ro-bind', '/usr', '/usr', ...PROGRAM_FOLDERS.flatMap(programFolder), ...etcFiles().flatMap(etcFile)];
}

function programFolder(name: string): string[] {
  const path = join('/', name);
  const facts = lstatSync(path, { throwIfNoEntry: false });
  if (facts === undefined) return [];
  return facts.isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path];
}

function etcFiles(): string[] {
  return readdirSync('/etc').filter(
    (name) => ETC_NAMES.includes(name) || ETC_PREFIXES.some((prefix) => name.startsWith(prefix)),
  );
}

/** Some of these are links to places that are not visible inside, so that their content is bound in their stead. */
function etcFile(name: string): string[] {
  const path = join('/etc', name);
  try {
    return ['--ro-bind', realpathSync(path), path];
  } catch (error) {
    // A link that leads nowhere, such as /etc/resolv.conf without a resolver: outside it says nothing either.
    if (['ENOENT', 'EACCES', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}
