import { readdirSync, readFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { openHousehold } from '../../test/driver/household.ts';
import type { Figure } from '../figure.ts';

const REST_MS = 60_000;
const SETTLE_MS = 5_000;
const LOOK_EVERY_MS = 20;
/** `getconf CLK_TCK` on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

export const restingService: Figure = {
  name: 'resting-service',
  about: 'the service at rest for a minute with three repos and workspaces, beside a bare Node HTTP server',
  async measure(report) {
    await using household = await openHousehold();
    for (const name of ['one', 'two', 'three']) {
      await household.ok('repo', 'add', name, await household.upstream(name, { 'file.txt': 'text\n' }));
      await household.ok('workspace', 'create', `task-${name}`, name);
    }
    await household.ok('service', 'restart');
    const pid = await household.servicePid();
    const plain = spawn(process.execPath, ['-e', "require('http').createServer().listen(0, '127.0.0.1')"], {
      stdio: 'ignore',
    });
    try {
      await sleep(SETTLE_MS);
      report('resting for a minute');
      const cpuBefore = { service: cpuTicks(pid), plain: cpuTicks(plain.pid!) };
      const children = new Set<string>();
      for (const end = Date.now() + REST_MS; Date.now() < end; await sleep(LOOK_EVERY_MS))
        for (const child of childrenOf(pid)) children.add(child);
      const share = (before: number, after: number): number =>
        ((after - before) / TICKS_PER_SECOND / (REST_MS / 1000)) * 100;
      const values = {
        cpuPercent: share(cpuBefore.service, cpuTicks(pid)),
        memoryMb: residentMb(pid),
        childProcesses: children.size,
        plainCpuPercent: share(cpuBefore.plain, cpuTicks(plain.pid!)),
        plainMemoryMb: residentMb(plain.pid!),
      };
      return {
        values,
        bars: [
          { rule: 'at most 0.5 % of a core', isKept: values.cpuPercent <= 0.5 },
          { rule: 'at most 110 MB', isKept: values.memoryMb <= 110 },
          {
            rule: `no child process, git or other${children.size === 0 ? '' : `: ${[...children].join(', ')}`}`,
            isKept: children.size === 0,
          },
        ],
      };
    } finally {
      plain.kill();
    }
  },
};

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function statFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function cpuTicks(pid: number): number {
  const fields = statFields(pid);
  return Number(fields[11]) + Number(fields[12]);
}

function residentMb(pid: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) / 1024;
}

/** Processes that the service started and that live now, as `pid name`. */
function childrenOf(pid: number): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        return statFields(Number(name))[1] === String(pid)
          ? [`${name} ${readFileSync(`/proc/${name}/comm`, 'utf8').trim()}`]
          : [];
      } catch (error) {
        // A process may end between the listing and the look.
        if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
        throw error;
      }
    });
}
