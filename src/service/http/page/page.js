/** The live page: workspaces, their runs, the steps of one run and its output. Text gets in as text only. */

const OUTPUT_LIMIT_CHARS = 500_000;
const chosen = { workspace: '', run: '', step: '' };
const part = (id) => document.getElementById(id);
let output = new AbortController();

async function read(path) {
  const reply = await fetch(path, { headers: { accept: 'application/json' } });
  const body = await reply.json();
  if (!reply.ok) throw new Error(body.fault?.message ?? `The service answered ${reply.status}.`);
  return body;
}

/** Replaces a list's entries and keeps the focus on the entry that had it. */
function showList(list, entries) {
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  list.replaceChildren(
    ...entries.map(({ key, name, state, isCurrent, choose }) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.dataset.key = key;
      if (isCurrent) button.setAttribute('aria-current', 'true');
      for (const text of [name, state])
        button.append(Object.assign(document.createElement('span'), { textContent: text }));
      button.addEventListener('click', choose);
      const item = document.createElement('li');
      item.append(button);
      return item;
    }),
  );
  if (focused !== undefined)
    [...list.querySelectorAll('button')].find(({ dataset }) => dataset.key === focused)?.focus();
}

async function showWorkspaces() {
  const { workspaces } = await read('/api/workspaces');
  const all = {
    key: '',
    name: 'All',
    state: String(workspaces.length),
    isCurrent: chosen.workspace === '',
    choose: () => chooseWorkspace(''),
  };
  const entries = workspaces.map(({ name, latestRun }) => ({
    key: name,
    name,
    state: latestRun === null ? 'no run' : latestRun.state,
    isCurrent: chosen.workspace === name,
    choose: () => chooseWorkspace(name),
  }));
  showList(part('workspaces'), [all, ...entries]);
}

async function showRuns() {
  const query = chosen.workspace === '' ? '' : `?workspace=${encodeURIComponent(chosen.workspace)}`;
  const { runs } = await read(`/api/runs${query}`);
  const entries = runs.map(({ id, workspace, number, state }) => ({
    key: id,
    name: `${workspace}/${number}`,
    state,
    isCurrent: chosen.run === id,
    choose: () => chooseRun(id),
  }));
  showList(part('runs'), entries);
  if (chosen.run === '' && runs.length > 0) await chooseRun(runs[0].id);
}

async function showSteps() {
  if (chosen.run === '') return;
  const run = await read(`/api/runs/${chosen.run}`);
  part('run-title').textContent =
    `Run ${run.workspace}/${run.number}: ${run.state}${run.reason === null ? '' : ` (${run.reason.sentence})`}`;
  const entries = run.steps.map(({ name, title, state }) => ({
    key: name,
    name: title === name ? name : `${name}: ${title}`,
    state,
    isCurrent: chosen.step === name,
    choose: () => chooseStep(chosen.step === name ? '' : name),
  }));
  showList(part('steps'), entries);
}

async function chooseWorkspace(name) {
  Object.assign(chosen, { workspace: name, run: '', step: '' });
  await guarded(async () => {
    await showWorkspaces();
    await showRuns();
  });
}

async function chooseRun(id) {
  Object.assign(chosen, { run: id, step: '' });
  followOutput();
  await guarded(showSteps);
  for (const button of part('runs').querySelectorAll('button')) {
    if (button.dataset.key === id) button.setAttribute('aria-current', 'true');
    else button.removeAttribute('aria-current');
  }
}

async function chooseStep(name) {
  chosen.step = name;
  followOutput();
  await guarded(showSteps);
}

/** Reads the chosen output until it ends or something else is chosen. */
function followOutput() {
  output.abort();
  output = new AbortController();
  part('output').textContent = '';
  const query = chosen.step === '' ? 'follow=true' : `follow=true&step=${encodeURIComponent(chosen.step)}`;
  const { signal } = output;
  void guarded(async () => {
    const reply = await fetch(`/api/runs/${chosen.run}/logs?${query}`, { signal });
    if (!reply.ok) throw new Error((await reply.json()).fault.message);
    const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      const lines = (rest + chunk.value).split('\n');
      rest = lines.pop();
      appendOutput(lines.map((line) => textOf(JSON.parse(line).line)).join(''));
    }
  }, signal);
}

function textOf(line) {
  if (line.kind === 'tool_call') return `\n→ ${line.tool} ${JSON.stringify(line.input)}\n`;
  return line.kind === 'stdout' || line.kind === 'stderr' ? line.text : `${line.text}\n`;
}

/** Follows the end only for a reader who is there; what is too long loses its beginning. */
function appendOutput(text) {
  const box = part('output');
  const isAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 5;
  box.append(text);
  while (box.textContent.length > OUTPUT_LIMIT_CHARS && box.childNodes.length > 1) box.firstChild.remove();
  if (isAtEnd) box.scrollTop = box.scrollHeight;
}

/** Does something and says in the status line if it did not work. */
async function guarded(act, signal) {
  try {
    await act();
  } catch (error) {
    if (!signal?.aborted) part('status').textContent = error.message;
  }
}

let isShowing = false;
let isStale = false;
/** Shows everything anew; what comes in meanwhile makes for one more time. */
async function refresh() {
  isStale = true;
  if (isShowing) return;
  isShowing = true;
  while (isStale) {
    isStale = false;
    await guarded(async () => {
      await showWorkspaces();
      await showRuns();
      await showSteps();
    });
  }
  isShowing = false;
}

const events = new EventSource('/api/events?topics=run.*,step.update,workspace.*');
events.addEventListener('open', () => {
  part('status').textContent = 'Live';
  void refresh();
});
events.addEventListener('error', () => {
  part('status').textContent = 'The service does not answer; trying again…';
});
for (const topic of ['run.update', 'step.update', 'workspace.update', 'resync'])
  events.addEventListener(topic, () => void refresh());
