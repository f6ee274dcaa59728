/**
 * The step host: `node step-host.js SPOOL_FOLDER` carries out the one attempt that the folder asks for. The service
 * starts it detached; it outlives the service, and its work does not outlive it.
 */
import { resolve } from 'node:path';
import { carryOutAttempt } from '../steps/carry-out-attempt.ts';
import { closeInherited } from '../steps/close-inherited.ts';

const INTERRUPTED_EXIT_CODE = 143;

const [, , folder] = process.argv;
if (folder === undefined) {
  process.stderr.write('usage: step-host SPOOL_FOLDER\n');
  process.exit(2);
}
closeInherited();
// A terminal that closes, or an interrupt typed there, is meant for the service.
process.on('SIGHUP', () => undefined);
process.on('SIGINT', () => undefined);
const end = await carryOutAttempt(resolve(folder));
// Whatever may still be open, such as a pipe that somebody holds: with the outcome written, the attempt is over.
process.exit(end === 'interrupted' ? INTERRUPTED_EXIT_CODE : 0);
