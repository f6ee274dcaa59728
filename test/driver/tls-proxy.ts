import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';

/** Hosts of the internet, played on loopback: a proxy leads whoever uses it to one TLS server with an authority of its own. */
export interface TlsProxy {
  /** For the environment of whoever is to find the hosts: the proxy, and the authority for git and for `gh`. */
  readonly environment: Record<string, string>;
  /** Hosts that somebody wanted to reach, in order. */
  readonly asked: string[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** Serves these host names; any other is refused by the proxy, so that nothing leaves the machine. */
export async function openTlsProxy(
  folder: string,
  hosts: readonly string[],
  answer: RequestListener,
): Promise<TlsProxy> {
  const { key, certificate, authority } = makeCertificate(join(folder, 'tls'), hosts);
  const sockets = new Set<Socket>();
  const server = createTlsServer({ key, cert: certificate }, answer);
  const port = await listen(server);
  const asked: string[] = [];
  const proxy = createServer((_request, response) => response.writeHead(405).end());
  proxy.on('connect', (request, client: Socket, head: Buffer) => {
    const [host = ''] = (request.url ?? '').split(':');
    asked.push(host);
    if (!hosts.includes(host)) {
      client.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      return;
    }
    const upstream = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.write(head);
      client.pipe(upstream).pipe(client);
    });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy()).on('close', () => sockets.delete(one));
    }
  });
  const address = `http://127.0.0.1:${await listen(proxy)}`;
  return {
    environment: { HTTPS_PROXY: address, https_proxy: address, SSL_CERT_FILE: authority, GIT_SSL_CAINFO: authority },
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      proxy.closeAllConnections();
      await Promise.all([server, proxy].map((each) => new Promise((resolve) => each.close(resolve))));
    },
  };
}

async function listen(server: { listen: (...args: never[]) => unknown; address(): unknown }): Promise<number> {
  await new Promise<void>((resolve) => (server.listen as (...args: unknown[]) => unknown)(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function makeCertificate(
  folder: string,
  hosts: readonly string[],
): { key: Buffer; certificate: Buffer; authority: string } {
  mkdirSync(folder, { recursive: true });
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'ignore' });
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...curve,
    '-keyout',
    file('ca.key'),
    '-out',
    file('ca.pem'),
    '-days',
    '2',
    '-subj',
    '/CN=test',
  );
  openssl('req', ...curve, '-keyout', file('key'), '-out', file('csr'), '-subj', '/CN=test host');
  writeFileSync(file('names'), `subjectAltName=${hosts.map((host) => `DNS:${host}`).join(',')}\n`);
  const signing = ['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial', '-extfile', file('names')];
  openssl('x509', '-req', '-in', file('csr'), '-out', file('pem'), '-days', '2', ...signing);
  return { key: readFileSync(file('key')), certificate: readFileSync(file('pem')), authority: file('ca.pem') };
}
