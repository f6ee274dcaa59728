import { matchesTopics, type OutputGrew, type TaktEvent } from '../../contract/events.ts';
import { Fault } from '../../contract/faults.ts';
import { type Database, metaValue } from '../../store/database.ts';
import { eventBounds, eventsAfter } from '../../store/events.ts';
import type { EventBus } from '../event-bus.ts';
import { createLatch } from '../latch.ts';
import type { StreamCall } from './binding.ts';

interface EventParts {
  readonly database: Database;
  readonly bus: EventBus;
}

interface EventsWanted {
  /** Comma list of topics; empty for all. */
  readonly topics: string;
  readonly after?: string | undefined;
  readonly workspace?: string | undefined;
}

const HEARTBEAT_MS = 15_000;
const BATCH = 200;

/**
 * Events as server-sent events, read from the store at the reader's own speed: what it has not taken is not in memory.
 * An id that is unknown or pruned gets a `resync` frame, and the stream goes on from now.
 */
export function eventStream(
  { database, bus }: EventParts,
  wanted: EventsWanted,
  call: StreamCall,
): AsyncIterable<string> {
  const epoch = metaValue(database, 'epoch');
  const start = startOf(database, epoch, call.lastEventId, wanted.after);
  const topics = wanted.topics
    .split(',')
    .map((topic) => topic.trim())
    .filter((topic) => topic !== '');
  return frames({ database, bus }, { start, epoch, topics, workspace: wanted.workspace }, call.signal);
}

interface Start {
  readonly after: number;
  readonly isResync: boolean;
}

/** The header is set by a browser that comes back, so it wins over the address that it first asked for. */
function startOf(database: Database, epoch: string, lastEventId: string | undefined, after: string | undefined): Start {
  const { oldest, newest } = eventBounds(database);
  const id = lastEventId ?? after;
  if (id === undefined || id === '') return { after: newest, isResync: false };
  if (id === '0') return { after: 0, isResync: false };
  const match = /^([0-9a-f]+)-(\d{1,15})$/.exec(id);
  if (match === null && lastEventId === undefined)
    throw new Fault('INPUT_INVALID', `after is not an id of an event: ${id}.`, {
      hint: 'Take the id of an event, or 0 for all.',
    });
  const n = Number(match?.[2]);
  const isKnown = match?.[1] === epoch && n <= newest && n >= oldest - 1;
  return isKnown ? { after: n, isResync: false } : { after: newest, isResync: true };
}

async function* frames(
  { database, bus }: EventParts,
  {
    start,
    epoch,
    topics,
    workspace,
  }: { start: Start; epoch: string; topics: readonly string[]; workspace: string | undefined },
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  const latch = createLatch();
  const outputs = new Map<string, OutputGrew>();
  const isWanted = (event: { topic: string; workspace: string | null }): boolean =>
    matchesTopics(event.topic, topics) && (workspace === undefined || event.workspace === workspace);
  const stopWake = bus.onWake(latch.set);
  const stopOutput = bus.onOutputGrew((frame) => {
    if (!isWanted(frame)) return;
    // Only the newest size of each attempt is kept, so a slow reader costs one frame per attempt.
    outputs.set(frame.attempt, frame);
    latch.set();
  });
  try {
    yield start.isResync ? `retry: 1000\nid: ${epoch}-${start.after}\nevent: resync\ndata: {}\n\n` : 'retry: 1000\n\n';
    let after = start.after;
    while (!signal.aborted) {
      const batch = eventsAfter(database, after, BATCH);
      after = numberOf(batch.at(-1)) ?? after;
      const text = batch.filter(isWanted).map(eventFrame).join('') + [...outputs.values()].map(outputFrame).join('');
      outputs.clear();
      if (text !== '') yield text;
      else if (batch.length === 0 && !(await latch.wait(HEARTBEAT_MS, signal))) yield ': still here\n\n';
    }
  } finally {
    stopWake();
    stopOutput();
  }
}

function numberOf(event: TaktEvent | undefined): number | undefined {
  return event === undefined ? undefined : Number(event.id.slice(event.id.indexOf('-') + 1));
}

const eventFrame = (event: TaktEvent): string =>
  `id: ${event.id}\nevent: ${event.topic}\ndata: ${JSON.stringify(event)}\n\n`;

const outputFrame = (frame: OutputGrew): string => `event: ${frame.topic}\ndata: ${JSON.stringify(frame)}\n\n`;
