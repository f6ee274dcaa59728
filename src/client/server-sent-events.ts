import { linesOf } from './lines.ts';

/** One frame of an event stream; frames without data, such as the service's heartbeat, are left out. */
export interface ServerSentEvent {
  /** Undefined if the frame has none: then it is no place to go on from. */
  readonly id: string | undefined;
  readonly event: string;
  readonly data: string;
}

/** Reads `text/event-stream` as the HTML standard says, as far as takt sends it. */
export async function* serverSentEvents(
  chunks: AsyncIterable<string>,
): AsyncGenerator<ServerSentEvent, void, undefined> {
  let id: string | undefined;
  let event = 'message';
  let data: string[] = [];
  for await (const line of linesOf(chunks)) {
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line.replace(/\r$/, '')) ?? [];
    if (field === '' && value === '' && !line.startsWith(':')) {
      if (data.length > 0) yield { id, event, data: data.join('\n') };
      [id, event, data] = [undefined, 'message', []];
    } else if (field === 'id') {
      id = value;
    } else if (field === 'event') {
      event = value;
    } else if (field === 'data') {
      data.push(value);
    }
  }
}
