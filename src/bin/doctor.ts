import { jsonText } from '../cli/clean-text.ts';
import type { LocalCall } from '../cli/local-call.ts';
import { type Check, type CheckResult, result } from './doctor/check.ts';
import { doesHomeAnswer, homeChecks } from './doctor/home-checks.ts';
import { lookAtAll } from './doctor/look-at-all.ts';
import { machineChecks } from './doctor/machine-checks.ts';
import { checkReport, resultsText } from './doctor/print-results.ts';
import { reachChecks } from './doctor/reach-checks.ts';
import { repairAll } from './doctor/repair-all.ts';

/**
 * Looks at what takt needs, and says for each thing what was found and how to mend it. With `--fix` it first does what
 * loses nothing, and tells of the state afterwards. Exit code 1 if anything is broken.
 */
export async function doctor(call: LocalCall): Promise<number> {
  const { params, flags, place, terminal, signal } = call;
  const isAnswering = await doesHomeAnswer(place.layout, signal);
  const checks = (): Check[] => [
    ...machineChecks(place.layout, signal),
    // Some of them wait for the disk so that nothing else goes on.
    ...(isAnswering
      ? [...homeChecks(place.layout, signal), ...reachChecks(call)]
      : [() => deafHome(place.layout.home)]),
  ];
  const look = (): Promise<CheckResult[]> => lookAtAll(checks(), { terminal, isSilent: flags.json });
  let results = await look();
  const repaired = params['fix'] === true ? await repairAll(results, signal) : [];
  if (repaired.length > 0) results = await look();

  const isWorking = results.every(({ state }) => state !== 'broken');
  const report = { isWorking, checks: results.map((each) => checkReport(each, repaired)) };
  await terminal.write(flags.json ? `${jsonText(report, 2)}\n` : resultsText(results, repaired, terminal.page));
  const exitCode = isWorking ? 0 : 1;
  if (results.some(({ isLate }) => isLate)) leaveAtOnce(exitCode);
  return exitCode;
}

function deafHome(home: string): CheckResult {
  const found = `${home}: its disk does not answer, so that nothing in it was looked at`;
  const fix = 'Look at `.state` and at the files in `config`: they may lie on a disk that is gone, or be no files.';
  return { ...result('home', 'broken', found, fix), isLate: true };
}

/**
 * Node ends only when its threads do, and one that waits for a file system that hangs never does. To become another
 * program asks no thread.
 */
function leaveAtOnce(exitCode: number): void {
  process.execve?.('/bin/sh', ['sh', '-c', `exit ${exitCode}`], {});
}
