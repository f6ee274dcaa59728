/**
 * Node's own `spec` report with one addition: before its closing lines come the tests that were skipped or put off, by
 * name and with the reason. With `CI=true` each of them fails the run, as does a run without any test.
 */
import { Readable } from 'node:stream';
import { spec as Spec } from 'node:test/reporters';

const isCi = process.env.CI === 'true';

// oxlint-disable-next-line import/no-default-export -- the test runner takes a reporter by its default export
export default async function* report(events) {
  const notRun = [];
  let passed = 0;
  let isSummaryDue = false;

  async function* withNames() {
    for await (const event of events) {
      if (event.type === 'test:pass' || event.type === 'test:fail') {
        const { name, file, skip, todo } = event.data;
        const mark = skip ?? todo;
        if (mark === undefined || mark === false) passed += event.type === 'test:pass' ? 1 : 0;
        else notRun.push({ name, file, word: skip === undefined ? 'todo' : 'skipped', reason: mark });
      }
      if (!isSummaryDue && isSummary(event)) {
        isSummaryDue = true;
        for (const line of closingWords(notRun, passed)) yield diagnostic(line);
      }
      yield event;
    }
  }

  yield* Readable.from(withNames()).pipe(new Spec());
}

/** The runner ends with one message per count, of which that of the tests is the first. */
function isSummary({ type, data }) {
  return type === 'test:diagnostic' && data.nesting === 0 && /^tests \d+$/.test(data.message);
}

function closingWords(notRun, passed) {
  const lines = notRun.map(({ name, file, word, reason }) => {
    const why = typeof reason === 'string' && reason !== '' ? reason : 'no reason given';
    return `${word}: ${name} (${why}) ${file === undefined ? '' : relativeName(file)}`.trimEnd();
  });
  if (!isCi) return lines;
  if (notRun.length > 0) lines.push(`failed: with CI=true no test may be skipped, and ${notRun.length} were`);
  if (passed === 0) lines.push('failed: no test ran');
  if (notRun.length > 0 || passed === 0) process.exitCode = 1;
  return lines;
}

function relativeName(file) {
  return file.startsWith(`${process.cwd()}/`) ? file.slice(process.cwd().length + 1) : file;
}

function diagnostic(message) {
  return { type: 'test:diagnostic', data: { nesting: 0, message, level: 'info' } };
}
