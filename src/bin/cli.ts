import type { LocalCommand } from '../cli/local-call.ts';
import { runCli } from '../cli/main.ts';

/** Commands that this process carries out itself, each loaded when it is asked for. */
const localCommands: Readonly<Record<string, () => Promise<LocalCommand>>> = {
  'home.init': async () => (await import('./init.ts')).init,
  'home.doctor': async () => (await import('./doctor.ts')).doctor,
  'home.version': async () => (await import('./version.ts')).version,
  'completion.print': async () => (await import('./version.ts')).completion,
  'demo.run': async () => async (call) =>
    (await import('./demo.ts')).runDemo(
      { live: call.params['live'] === true, keep: call.params['keep'] === true },
      call.signal,
    ),
  'page.open': async () => (await import('./open-page.ts')).openPage,
  'branch.watch': async () => (await import('./watch.ts')).watchBranches,
  'push.plan': async () => (await import('./push.ts')).push,
  'pr.open': async () => (await import('./pr-open.ts')).prOpen,
  'pr.create': async () => (await import('./pr-create.ts')).prCreate,
  'repo.add': async () => (await import('./add-repo.ts')).addRepo,
  'service.run': async () => (await import('./service-control.ts')).runInForeground,
  'service.start': async () => (await import('./service-control.ts')).start,
  'service.stop': async () => (await import('./service-control.ts')).stop,
  'service.restart': async () => (await import('./service-control.ts')).restart,
  'service.install': async () => (await import('./service-unit/install.ts')).install,
  'service.uninstall': async () => (await import('./service-unit/uninstall.ts')).uninstall,
  'service.logs': async () => (await import('./service-logs.ts')).serviceLogs,
};

process.exitCode = await runCli(process.argv.slice(2), async (name) => {
  const load = localCommands[name];
  if (load === undefined) throw new Error(`No local command carries out ${name}.`);
  return load();
});
