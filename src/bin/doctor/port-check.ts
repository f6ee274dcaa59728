import { createServer } from 'node:net';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { servicePort } from '../../platform/service-port.ts';
import { portHolder } from '../../service/port-holder.ts';
import { readServiceFile } from '../../service/service-file.ts';
import { type CheckResult, result } from './check.ts';
import { isListening } from './service-state.ts';

export async function checkPort(layout: HomeLayout): Promise<CheckResult> {
  const port = servicePort(process.env);
  if (port === undefined)
    return result('port', 'broken', `TAKT_PORT is ${process.env['TAKT_PORT']}`, 'Set it to a number up to 65535.');
  const service = await readServiceFile(layout);
  if (service !== undefined && (await isListening(layout.socket)))
    return result('port', 'ok', `${service.port}, on which the service of this home listens`);
  if (await isFree(port)) return result('port', 'ok', `${port} is free`);
  return result('port', 'broken', `${port} is taken by ${portHolder(port)}`, 'Set TAKT_PORT to a free port.');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      ['EADDRINUSE', 'EACCES'].includes(error.code ?? '') ? resolve(false) : reject(error),
    );
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
