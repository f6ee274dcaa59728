import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findProgram } from './find-program.ts';

const SYSTEM_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Variables that name a file with certificates, for the tools that do not look into /etc/ssl. */
const CERTIFICATE_VARIABLES = [
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'CURL_CA_BUNDLE',
  'REQUESTS_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'PIP_CERT',
  'CARGO_HTTP_CAINFO',
];
const SHOWN_ANYWAY = /^\/(usr|etc\/ssl|etc\/pki)\//;
const PROXY_VARIABLES = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];
const PLAIN_VARIABLES = ['LANG', 'LC_ALL', 'LC_CTYPE', 'TZ'];

/** What the work gets of the service's environment, and the folders that this makes it need. */
export interface WorkTools {
  readonly env: Record<string, string>;
  /** Absolute paths outside of what the system shows. */
  readonly readable: string[];
}

/**
 * PATH of the system, the toolchains and the Node that the user has; locale; certificates; proxies that need no password.
 * Everything else of the service's environment stays outside, as it may be secret.
 */
export function workTools(toolchains: readonly string[], environment: NodeJS.ProcessEnv): WorkTools {
  const node = nodeFolder(environment);
  const folders = [...toolchains, ...(node === undefined ? [] : [node])];
  const certificates = CERTIFICATE_VARIABLES.flatMap((name) => {
    const file = environment[name];
    return file !== undefined && file.startsWith('/') && existsSync(file) ? [{ name, file }] : [];
  });
  const plain = [...PLAIN_VARIABLES, ...PROXY_VARIABLES].flatMap((name) => {
    const value = environment[name];
    // A proxy's address with a name or a password in it is a secret.
    return value === undefined || value === '' || (PROXY_VARIABLES.includes(name) && value.includes('@'))
      ? []
      : [[name, value]];
  });
  return {
    env: {
      LANG: 'C.UTF-8',
      TERM: 'dumb',
      ...(Object.fromEntries(plain) as Record<string, string>),
      ...Object.fromEntries(certificates.map(({ name, file }) => [name, file])),
      PATH: [...folders.map(programsOf), ...SYSTEM_PATH].join(':'),
    },
    readable: [...folders, ...certificates.map(({ file }) => file).filter((file) => !SHOWN_ANYWAY.test(file))],
  };
}

/** Where a toolchain keeps its programs. */
function programsOf(folder: string): string {
  const programs = join(folder, 'bin');
  return existsSync(programs) ? programs : folder;
}

/** The installation of the Node that the PATH gives, if it lies outside /usr and is a folder of its own. */
function nodeFolder({ PATH: path, HOME: home }: NodeJS.ProcessEnv): string | undefined {
  const program = findProgram('node', path);
  if (program === undefined) return undefined;
  const real = realpathSync(program);
  const folder = dirname(dirname(real));
  const isOwnFolder =
    existsSync(join(folder, 'bin', 'node')) && !`${home ?? ''}/`.startsWith(`${folder}/`) && folder !== '/';
  return isOwnFolder && !real.startsWith('/usr/') ? folder : undefined;
}
