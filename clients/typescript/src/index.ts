// A client of Sallyport. `api.ts` is generated; this module makes it comfortable.

import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./api.js";
import { CLASSES } from "./codes.js";
import { type ProblemBody, SallyportError } from "./problem.js";
import { TAKES_IDEMPOTENCY_KEY } from "./routes.js";

export type { components, paths } from "./api.js";
export * from "./codes.js";
export { type ProblemBody, SallyportError } from "./problem.js";

const IDEMPOTENCY_KEY = "Idempotency-Key";
/** How often a request is repeated. */
const MOST_REPETITIONS = 4;
/** A service that asks for a longer pause than this, in seconds, is not waited for. */
const LONGEST_PAUSE = 60;

export type Sallyport = Client<paths>;

export interface Options {
  /** The server. */
  url: string;
  /** A product key, the operator's token or a workspace's token. */
  key: string;
  /** The workspace that a product key acts in: its ID, or `external:` and the product's own ID of the tenant. */
  workspace?: string;
  /** The product's ID of the user on whose behalf it acts, for the audit log. */
  actor?: string;
  /** What sends requests. By default the runtime's `fetch`. */
  fetch?: (request: Request) => Promise<Response>;
  /** What waits, in seconds. */
  sleep?: (seconds: number) => Promise<void>;
}

/** A client for a server. A refused request throws the class of its code. */
export function connect(options: Options): Sallyport {
  const headers: Record<string, string> = { Authorization: `Bearer ${options.key}` };
  if (options.workspace !== undefined) headers["Sallyport-Workspace"] = options.workspace;
  if (options.actor !== undefined) headers["Sallyport-Actor"] = options.actor;
  const send = options.fetch ?? ((request: Request) => fetch(request));
  const sleep = options.sleep ?? ((seconds: number) => new Promise((done) => setTimeout(done, seconds * 1000)));
  return createClient<paths>({
    baseUrl: options.url,
    headers,
    fetch: async (request: Request) => {
      const answer = await repeating(request, send, sleep);
      if (!answer.ok) throw await refusal(answer);
      return answer;
    },
  });
}

async function repeating(
  request: Request,
  send: (request: Request) => Promise<Response>,
  sleep: (seconds: number) => Promise<void>,
): Promise<Response> {
  const path = new URL(request.url).pathname;
  const takesKey = request.method === "POST" && TAKES_IDEMPOTENCY_KEY.some((pattern) => pattern.test(path));
  if (takesKey && !request.headers.has(IDEMPOTENCY_KEY)) {
    request.headers.set(IDEMPOTENCY_KEY, globalThis.crypto?.randomUUID?.() ?? (await randomUuid()));
  }
  // A file's bytes are not kept for a second time; JSON is.
  const isKept = request.body === null || request.headers.get("Content-Type") === "application/json";
  const isHarmless =
    ["GET", "HEAD", "PUT", "DELETE"].includes(request.method) || request.headers.has(IDEMPOTENCY_KEY);
  for (let repetitions = 0; ; repetitions += 1) {
    const isLast = !isKept || !isHarmless || repetitions === MOST_REPETITIONS;
    const answer = await send(isLast ? request : request.clone());
    const pause = retryAfter(answer);
    const isRepeatable = answer.status === 429 || answer.status === 503;
    if (isLast || !isRepeatable || pause === undefined || pause > LONGEST_PAUSE) return answer;
    await answer.body?.cancel();
    await sleep(pause);
  }
}

/** Node.js 18 has it in a module only. */
async function randomUuid(): Promise<string> {
  const { randomUUID } = await import("node:crypto");
  return randomUUID();
}

/** The seconds of `Retry-After`; the service sends no dates. */
function retryAfter(answer: Response): number | undefined {
  const text = answer.headers.get("Retry-After") ?? "";
  return /^[0-9]+$/.test(text) ? Number(text) : undefined;
}

async function refusal(answer: Response): Promise<SallyportError> {
  const text = await answer.text();
  let problem: ProblemBody = {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null) problem = parsed as ProblemBody;
  } catch {
    // Not Sallyport's: the error says so.
  }
  const kind = (problem.code !== undefined && CLASSES[problem.code]) || SallyportError;
  return new kind(answer.status, problem, retryAfter(answer));
}

/** The data of an answer. A refusal was thrown before, which the answer's type does not say. */
export function ok<T>(answer: { data?: T; response: Response }): T {
  if (answer.data === undefined) throw new TypeError(`${answer.response.status} has no content`);
  return answer.data;
}

/** Every page of a list. `list` asks for the page of a token. */
export async function* pages<Page extends { next_page_token?: string | null }>(
  list: (pageToken?: string) => Promise<{ data?: Page; response: Response }>,
): AsyncGenerator<Page> {
  let token: string | undefined;
  do {
    const page = ok(await list(token));
    yield page;
    token = page.next_page_token ?? undefined;
  } while (token);
}

/** The members of every page of a list, such as `items(list, (page) => page.storages)`. */
export async function* items<Page extends { next_page_token?: string | null }, Item>(
  list: (pageToken?: string) => Promise<{ data?: Page; response: Response }>,
  of: (page: Page) => Item[],
): AsyncGenerator<Item> {
  for await (const page of pages(list)) yield* of(page);
}

/** The bytes of a file as they come. `range` is a part of it, like `bytes=0-1023`. */
export async function stream(
  client: Sallyport,
  storageId: string,
  key: string,
  range?: string,
): Promise<ReadableStream<Uint8Array>> {
  const answer = await client.GET("/v1/storages/{storage_id}/files/content", {
    params: { path: { storage_id: storageId }, query: { key }, header: range === undefined ? {} : { Range: range } },
    parseAs: "stream",
  });
  return ok(answer) as ReadableStream<Uint8Array>;
}

/** Stores a file. With `onlyNew` a file that is there already stays, and `PreconditionFailed` is thrown. */
export async function upload(
  client: Sallyport,
  storageId: string,
  key: string,
  content: Blob | Uint8Array<ArrayBuffer> | ArrayBuffer,
  options: { contentType?: string; onlyNew?: boolean } = {},
): Promise<components["schemas"]["StoredFile"]> {
  const answer = await client.PUT("/v1/storages/{storage_id}/files/content", {
    params: {
      path: { storage_id: storageId },
      query: { key },
      header: options.onlyNew ? { "If-None-Match": "*" } : {},
    },
    // JSON of bytes would be their numbers as text.
    body: content instanceof Blob ? content : new Blob([content]),
    bodySerializer: (body) => body,
    headers: { "Content-Type": options.contentType ?? "application/octet-stream" },
  });
  return ok(answer);
}

/** The URLs of an answer with signed URLs, in the order of the keys, in either format. */
export function signedUrls(answer: components["schemas"]["SignedUrls"]): string[] {
  const { base, query, items: signed } = answer;
  if (signed == null) return answer.urls.map((one) => one.url);
  return signed.map(([key, signature]) => `${base}${key}?${query}&X-Amz-Signature=${signature}`);
}
