import type { HttpAddress } from '../platform/http-transport.ts';
import { homeFolder, homeLayout, type HomeLayout } from '../platform/home-layout.ts';

/** Which service a command talks to, and the home that is on this machine. */
export interface Place {
  readonly layout: HomeLayout;
  readonly address: HttpAddress;
}

/**
 * TAKT_URL leads to a service elsewhere, with TAKT_TOKEN; else it is the one of the home, over its socket. A home named
 * on the command line wins over both.
 */
export function placeOf(environment: NodeJS.ProcessEnv, home: string | null): Place {
  const layout = homeLayout(home ?? homeFolder(environment));
  const url = environment['TAKT_URL'] ?? '';
  if (home !== null || url === '') return { layout, address: { kind: 'socket', path: layout.socket } };
  return { layout, address: { kind: 'url', url, token: environment['TAKT_TOKEN'] ?? null } };
}
