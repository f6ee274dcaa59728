import type { LocalCall } from '../../cli/local-call.ts';
import { openConfig } from '../../config/config-source.ts';
import { Fault } from '../../contract/faults.ts';
import { faultOfSystemError } from '../../contract/system-fault.ts';
import type { RepoConfig } from '../../contract/repo.ts';
import { gitEnvironment } from '../../git/git.ts';
import { probeFromService, probeFromShell, serviceCannotReach } from '../probe-from-shell.ts';
import { bounded, type Check, type CheckResult, result } from './check.ts';
import { whyGitIsNoHelp } from './git-settings-check.ts';
import { serviceState } from './service-state.ts';

const AT_ONCE = 4;
const PROBE_LIMIT_MS = 10_000;
const CHECK_LIMIT_MS = 25_000;
const ALL_LIMIT_MS = 30_000;

type Reach = { readonly kind: 'reached' | 'not asked' } | { readonly kind: 'fault'; readonly fault: Fault };

/**
 * A check for each repo of the configuration: whether this shell and the service reach its upstream, and its fork. The
 * service is not started for it. A configuration that cannot be read has a check of its own.
 */
export function reachChecks(call: LocalCall, limitMs = ALL_LIMIT_MS): Check[] {
  const takeTurn = turns(AT_ONCE);
  const beganAtMs = Date.now();
  let answering: Promise<boolean> | undefined;
  // A service that hangs is one check's to tell; it is asked nothing here.
  const isAnswering = (): Promise<boolean> => (answering ??= isServiceAnswering(call));
  let gitLooked: Promise<string | undefined> | undefined;
  const { env } = gitEnvironment(process.env, { interactive: false, hasAskpass: true });
  const whyNot = (): Promise<string | undefined> => (gitLooked ??= whyGitIsNoHelp({ env, signal: call.signal }));
  return configuredRepos(call).map((repo) => {
    const label = `reach of ${repo.name}`;
    // The limit begins with the turn, and is what all together have left.
    const inTurn = async (): Promise<CheckResult> => {
      const leftMs = beganAtMs + limitMs - Date.now();
      if (leftMs <= 0) return hadNoTurn(label, limitMs);
      const bounds = { signal: call.signal, limitMs: Math.min(CHECK_LIMIT_MS, leftMs) };
      return bounded(label, bounds, async (signal) => {
        const why = await whyNot();
        return why === undefined ? checkReach(repo, { ...call, signal }, isAnswering) : result(label, 'absent', why);
      })();
    };
    return Object.assign(() => takeTurn(inTurn), { label });
  });
}

const hadNoTurn = (label: string, limitMs: number): CheckResult =>
  result(
    label,
    'warning',
    `had no turn within ${limitMs / 1000} s, since other upstreams took that long to answer`,
    '`takt doctor` again once those answer.',
  );

function configuredRepos({ place }: LocalCall): RepoConfig[] {
  try {
    return openConfig(place.layout).repos();
  } catch (error) {
    if (error instanceof Fault || faultOfSystemError(error) !== undefined) return [];
    throw error;
  }
}

async function checkReach(
  { name, upstream, push_url: pushUrl }: RepoConfig,
  call: LocalCall,
  isAnswering: () => Promise<boolean>,
): Promise<CheckResult> {
  const label = `reach of ${name}`;
  const isRunning = await isAnswering();
  for (const address of pushUrl === undefined ? [upstream] : [upstream, pushUrl]) {
    const [shell, service] = await Promise.all([
      limited(call.signal, (signal) => probeFromShell(address, signal)),
      isRunning ? limited(call.signal, (signal) => fromService(address, call, signal)) : NOT_ASKED,
    ]);
    const wrong = await judge(label, { shell, service }, call);
    if (wrong !== undefined) return wrong;
  }
  if (isRunning) return result(label, 'ok', 'from this shell and from the service');
  return result(
    label,
    'warning',
    'from this shell; the service does not answer, so nobody knows whether it would reach it',
    '`takt service start`, then `takt doctor` again.',
  );
}

const NOT_ASKED: Reach = { kind: 'not asked' };

/** What is wrong at one address; undefined if nothing is. */
async function judge(
  label: string,
  { shell, service }: { shell: Reach; service: Reach },
  call: LocalCall,
): Promise<CheckResult | undefined> {
  if (service.kind === 'fault' && shell.kind === 'reached') {
    const { differing } = await probeFromService(undefined, { ...call, client: call.connect({ start: false }) });
    const { message, hint } = serviceCannotReach(service.fault, differing);
    return result(label, 'warning', message, hint);
  }
  if (shell.kind !== 'fault') return undefined;
  const { message, hint } = shell.fault;
  if (service.kind !== 'reached') return result(label, 'warning', message, hint);
  return result(label, 'warning', `The service reaches it, and this shell does not: ${message}`, hint);
}

async function fromService(address: string, call: LocalCall, signal: AbortSignal): Promise<Fault | null> {
  const client = call.connect({ start: false });
  return (await probeFromService(address, { client, table: call.table, signal })).fault;
}

async function limited(signal: AbortSignal, probe: (signal: AbortSignal) => Promise<Fault | null>): Promise<Reach> {
  const limit = AbortSignal.timeout(PROBE_LIMIT_MS);
  try {
    const fault = await probe(AbortSignal.any([signal, limit]));
    return fault === null ? { kind: 'reached' } : { kind: 'fault', fault };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Fault) return { kind: 'fault', fault: error };
    if (!limit.aborted) throw error;
    const sentence = `It was not reached within ${PROBE_LIMIT_MS / 1000} s.`;
    return { kind: 'fault', fault: new Fault('UPSTREAM_UNREACHABLE', sentence, { cause: error }) };
  }
}

/** With TAKT_URL the service is asked where it is; else it has to answer at its socket. */
async function isServiceAnswering({ place, signal }: LocalCall): Promise<boolean> {
  return place.address.kind === 'url' || (await serviceState(place.layout, signal)).kind === 'answers';
}

/** Lets so many work at a time; the others wait for their turn. */
function turns(limit: number): <Value>(work: () => Promise<Value>) => Promise<Value> {
  const waiting: (() => void)[] = [];
  let atWork = 0;
  return async (work) => {
    if (atWork >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else atWork += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) atWork -= 1;
      else next();
    }
  };
}
