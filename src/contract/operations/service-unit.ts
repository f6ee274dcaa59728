import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { InstalledUnit, RemovedUnit } from '../service-unit.ts';

export const serviceInstall = defineOperation({
  name: 'service.install',
  summary: 'Makes the service a systemd unit of your user, and starts it.',
  details:
    'The first home gets the unit `takt-service`, each further one `takt-service-` with eight digits that its path gives. A service that runs already is stopped for the unit; steps that run go on. ' +
    'What git, gh and Claude need of this shell (PATH, proxies, certificates, an agent’s socket at a fixed path) is written into the unit and shown; secrets never are. The setting `environment` adds to it and wins. ' +
    'A unit that you edited, or that takt did not write, is not written over; `systemctl --user edit UNIT` puts changes of yours beside it.',
  examples: [
    {
      line: 'takt service install',
      does: 'writes the unit, enables and starts it; then `systemctl --user start takt-service` works',
    },
    { line: 'takt service install --linger', does: 'lets it start with the machine and outlive your last session' },
    { line: 'takt service install --print', does: 'only prints the unit' },
  ],
  kind: 'local',
  http: { method: 'GET', path: '/api/local/service-install' },
  command: { words: ['service', 'install'], positionals: [] },
  params: z.strictObject({
    start: z.boolean().default(true).describe('only write and load it, neither enabled nor started'),
    linger: z
      .boolean()
      .default(false)
      .describe('let your services outlive your last session (`loginctl enable-linger`)'),
    force: z.boolean().default(false).describe('write over a unit that was edited'),
    print: z.boolean().default(false).describe('print the unit and do nothing'),
  }),
  reply: InstalledUnit,
});

export const serviceUninstall = defineOperation({
  name: 'service.uninstall',
  summary: 'Stops the service and removes its systemd unit; home and steps that run stay.',
  examples: [
    {
      line: 'takt service uninstall',
      does: 'removes the unit of this home; `takt service start` still starts the service',
    },
  ],
  kind: 'local',
  http: { method: 'GET', path: '/api/local/service-uninstall' },
  command: { words: ['service', 'uninstall'], positionals: [] },
  params: z.strictObject({ force: z.boolean().default(false).describe('also if the unit was edited') }),
  reply: RemovedUnit,
});
