import type { Operation } from '../contract/operation.ts';

/** Method, path with query, and body of one call of an operation. */
export interface OperationRequest {
  readonly method: Operation['http']['method'];
  readonly path: string;
  /** JSON, or undefined where parameters go into the query. */
  readonly body: string | undefined;
}

/**
 * `:name` in the path takes the parameter of that name. Of the others, GET and DELETE send those that are set as query
 * (lists repeated), the rest as a JSON body.
 */
export function requestOf(http: Operation['http'], params: Readonly<Record<string, unknown>>): OperationRequest {
  const rest = new Map(Object.entries(params).filter(([, value]) => value !== undefined));
  const path = http.path.replaceAll(/:([a-zA-Z]+)/g, (_, name: string) => {
    const value = rest.get(name);
    if (typeof value !== 'string' && typeof value !== 'number') throw new TypeError(`${http.path} needs ${name}.`);
    rest.delete(name);
    return encodeURIComponent(value);
  });
  if (http.method !== 'GET' && http.method !== 'DELETE') {
    return { method: http.method, path, body: JSON.stringify(Object.fromEntries(rest)) };
  }
  const query = [...rest].flatMap(([name, value]) =>
    [value].flat().map((one) => `${name}=${encodeURIComponent(queryText(one))}`),
  );
  return { method: http.method, path: query.length === 0 ? path : `${path}?${query.join('&')}`, body: undefined };
}

function queryText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
