import { Fault, faults } from '../contract/faults.ts';
import { faultOfSystemError } from '../contract/system-fault.ts';
import type { CommandTable } from '../grammar/command-table.ts';
import { parseLine, type ParsedLine } from '../grammar/parse-line.ts';
import { loadTable } from './load-table.ts';
import type { LoadLocalCommand } from './local-call.ts';
import { processTerminal, type Terminal } from './terminal.ts';

const INTERRUPTED_EXIT_CODE = faults.CANCELLED.exitCode;

/** Carries out what the words after `takt` say, and gives the exit code. */
export async function runCli(argv: readonly string[], loadLocalCommand: LoadLocalCommand): Promise<number> {
  const terminal = processTerminal(process.env);
  const table = await loadTable();
  if (argv[0] === '__complete') {
    const { printCandidates } = await import('./print-candidates.ts');
    return printCandidates(argv.slice(1), table, terminal);
  }
  // Until the line is parsed, only its words can tell how a fault is to be printed.
  let isJson = argv.includes('--json');
  try {
    const line = parseLine(argv, table);
    isJson = line.flags.json;
    return await carryOut(line, table, terminal, loadLocalCommand);
  } catch (error) {
    const { printFault } = await import('./print/fault.ts');
    const fault =
      error instanceof Fault
        ? error
        : (faultOfSystemError(error) ??
          new Fault('INTERNAL', 'takt failed.', { detail: String((error as Error)?.stack ?? error) }));
    terminal.writeError(printFault(fault, isJson, terminal.errorPage));
    return faults[fault.code].exitCode;
  }
}

async function carryOut(
  line: ParsedLine,
  table: CommandTable,
  terminal: Terminal,
  loadLocalCommand: LoadLocalCommand,
): Promise<number> {
  switch (line.kind) {
    case 'help': {
      const { helpText } = await import('./print/help.ts');
      await terminal.write(helpText(line.words, table, line.flags.json, terminal.page));
      return 0;
    }
    case 'command': {
      const signal = interruption();
      const { runCommand } = await import('./run-command.ts');
      return runCommand(line, { table, terminal, signal, loadLocalCommand });
    }
  }
}

/** The first Ctrl-C, or SIGTERM, asks the command to end, the second one ends it. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(INTERRUPTED_EXIT_CODE);
      controller.abort(new Fault('CANCELLED', 'Interrupted.', { hint: '' }));
    });
  return controller.signal;
}
