/** A request over HTTP and the first line of its answer, from git's trace of headers. */
export interface Exchange {
  readonly method: string;
  /** A path, or the whole address if a proxy was asked for it; of CONNECT the host and port. */
  readonly target: string;
  /** True if a name and password, or a token, went with it. */
  readonly hasCredentials: boolean;
  /** 0 if no answer came. */
  readonly status: number;
  /** True if the answer is marked as git's. */
  readonly isGit: boolean;
}

/**
 * The exchanges in what GIT_TRACE_CURL wrote. Interim answers, such as `100 Continue`, do not count. Names of headers
 * are in small letters over HTTP/2.
 */
export function exchangesIn(trace: string): Exchange[] {
  const exchanges: { -readonly [Key in keyof Exchange]: Exchange[Key] }[] = [];
  for (const [, direction, header = ''] of trace.matchAll(/(=> Send|<= Recv) header: (.*)$/gm)) {
    const last = exchanges.at(-1);
    const [, method, target] = /^([A-Z]+) (\S+) HTTP\//.exec(header) ?? [];
    if (direction === '=> Send' && method !== undefined && target !== undefined)
      exchanges.push({ method, target, hasCredentials: false, status: 0, isGit: false });
    else if (last === undefined) continue;
    else if (direction === '=> Send') last.hasCredentials ||= /^authorization:/i.test(header);
    else {
      const status = Number(/^HTTP\/[\d.]+ (\d{3})/.exec(header)?.[1] ?? 0);
      if (status >= 200) last.status = status;
      last.isGit ||= /^content-type:\s*application\/x-git-/i.test(header);
    }
  }
  return exchanges;
}

/** True if GIT_TRACE_PACKET saw the other side speak: a line that git read, other than a refusal. */
export function hasSpokenIn(trace: string): boolean {
  // A server that a wrapper of ssh starts on this machine writes into the same trace.
  return /^\S+ pkt-line\.c:\d+ +packet: +(?!upload-pack|receive-pack)\S+< (?!ERR )/m.test(trace);
}

/**
 * True if the other side gave up in the midst of its answer, and said so on the channel for that (gitprotocol-pack(5),
 * side-band 3): it cannot hand over what it has.
 */
export function hasGivenUpIn(trace: string): boolean {
  return /^\S+ pkt-line\.c:\d+ +packet: +\S+< \\3/m.test(trace);
}

/**
 * Whether the other side owes a word. Where nobody is asked anything, it does until it has spoken. Where a person may
 * be typing a password, it does from the moment when a connection is being made over HTTP until any answer came.
 */
export function wordOf(trace: string, p: { readonly isQuiet: boolean }): 'not asked' | 'owed' | 'given' {
  if (p.isQuiet) {
    // Plain files over HTTP are served without any packet of git's.
    const isServed = exchangesIn(trace).some(
      ({ method, status }) => method !== 'CONNECT' && status >= 200 && status < 300,
    );
    return hasSpokenIn(trace) || isServed ? 'given' : 'owed';
  }
  if (trace === '') return 'not asked';
  return trace.includes('<= Recv header: ') ? 'given' : 'owed';
}
