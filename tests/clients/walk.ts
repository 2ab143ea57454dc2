// The walk of a product by the TypeScript client, from its key to the first event: the same as walk.py.
// `tools/check_clients.py` compiles and runs it.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import process from "node:process";
import * as sallyport from "@sallyport/client";
import { verify, WebhookVerificationError } from "@sallyport/client/webhooks";
import { Webhook } from "standardwebhooks";

const KEY = "/from-typescript/hello.bin";
const CONTENT = Uint8Array.from({ length: 10240 }, (_, at) => at % 256);

function variable(name: string): string {
  const value = process.env[name];
  assert.ok(value !== undefined, `${name} is not set`);
  return value;
}

const url = variable("SALLYPORT_URL");
const key = variable("SALLYPORT_KEY");

async function whole(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// A server that is busy twice: the same idempotency key each time, and its pause is kept.
const keys: (string | null)[] = [];
const pauses: number[] = [];
const hurried = sallyport.connect({
  url: "http://below.example/sallyport",
  key,
  fetch: async (request) => {
    keys.push(request.headers.get("Idempotency-Key"));
    const busy = keys.length < 3;
    return new Response("{}", { status: busy ? 503 : 201, headers: busy ? { "Retry-After": "2" } : {} });
  },
  sleep: async (seconds) => void pauses.push(seconds),
});
await hurried.POST("/v1/projects", { body: { name: "x", files: [] } });
assert.deepEqual(pauses, [2, 2]);
assert.equal(new Set(keys).size, 1);
assert.ok(keys[0]);
// A deletion of files takes no key: it is asked for once.
keys.length = 0;
const ofOne = { params: { path: { storage_id: "sto_1" } } };
await assert.rejects(
  hurried.POST("/v1/storages/{storage_id}/files/delete", { ...ofOne, body: { keys: ["/a"] } }),
  (error) => error instanceof sallyport.SallyportError && error.status === 503 && error.retryAfter === 2,
);
assert.deepEqual(keys, [null]);

// A webhook.
const secret = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ=";
const sent = JSON.stringify({ type: "storage.created" });
const now = new Date();
const signed_headers = {
  "webhook-id": "evt_1",
  "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
  "webhook-signature": new Webhook(secret).sign("evt_1", now, sent),
};
assert.equal(verify(secret, sent, signed_headers).type, "storage.created");
assert.throws(() => verify(secret, sent.replace("created", "deleted"), signed_headers), WebhookVerificationError);

// A new tenant.
const tenant = `walk-${randomUUID()}`;
const product = sallyport.connect({ url, key });
const workspace = sallyport.ok(
  await product.POST("/v1/workspaces", { body: { name: "By the TypeScript client", external_id: tenant } }),
);
const client = sallyport.connect({ url, key, workspace: `external:${tenant}`, actor: "user-7" });

// A storage.
const setup = sallyport.ok(
  await client.POST("/v1/storage-setups", {
    body: { bucket: variable("BUCKET"), prefix: "team", access: "read_write" },
  }),
);
const ofSetup = { path: { setup_id: setup.id } };
const complete = () => client.POST("/v1/storage-setups/{setup_id}/complete", { params: ofSetup });
await assert.rejects(complete(), (error) => error instanceof sallyport.CheckRequired && error.status === 409);
const applied = await fetch(`${url}/dev/customer/apply`, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ setup_id: setup.id }),
});
assert.equal(applied.status, 200, await applied.text());
const report = sallyport.ok(
  await client.POST("/v1/storage-setups/{setup_id}/check", { params: { ...ofSetup, query: { wait: 60 } } }),
);
assert.notEqual(report.outcome, "failed", JSON.stringify(report));
const storage = sallyport.ok(await complete());
const storages = (page_token?: string) => client.GET("/v1/storages", { params: { query: { page_token } } });
const ids: string[] = [];
for await (const found of sallyport.items(storages, (page) => page.storages)) ids.push(found.id);
assert.deepEqual(ids, [storage.id]);

// Numbers and text would be sent as JSON and stored as that text, so the types must refuse them.
type Content = "/v1/storages/{storage_id}/files/content";
type Upload = sallyport.paths[Content]["put"]["requestBody"]["content"]["application/octet-stream"];
// @ts-expect-error
[104, 105] satisfies Upload;
// @ts-expect-error
"hi" satisfies Upload;

// Files.
const ofStorage = { path: { storage_id: storage.id } };
const texts = (page_token?: string) =>
  client.GET("/v1/storages/{storage_id}/files", {
    params: { ...ofStorage, query: { folder: "/texts/", page_size: 5, page_token } },
  });
const found = new Set<string>();
for await (const file of sallyport.items(texts, (page) => page.files)) found.add(file.key);
assert.equal(found.size, 12);
const upload = () => sallyport.upload(client, storage.id, KEY, CONTENT, { onlyNew: true });
assert.equal((await upload()).size, CONTENT.length);
await assert.rejects(upload(), sallyport.PreconditionFailed);
assert.deepEqual(await whole(await sallyport.stream(client, storage.id, KEY)), CONTENT);
assert.deepEqual(await whole(await sallyport.stream(client, storage.id, KEY, "bytes=0-9")), CONTENT.slice(0, 10));
await assert.rejects(sallyport.stream(client, storage.id, "/not-there"), sallyport.FileNotFound);
const signed = sallyport.ok(
  await client.POST("/v1/storages/{storage_id}/files/sign", {
    params: ofStorage,
    body: { keys: [KEY], method: "GET" },
  }),
);
const link = signed.urls[0]?.url;
assert.ok(link !== undefined);
assert.deepEqual(new Uint8Array(await (await fetch(link)).arrayBuffer()), CONTENT);
assert.deepEqual(sallyport.signedUrls(signed), [link]);
const compact = sallyport.signedUrls(
  sallyport.ok(
    await client.POST("/v1/storages/{storage_id}/files/sign", {
      params: ofStorage,
      body: { keys: [KEY, KEY], method: "GET", format: "compact" },
    }),
  ),
);
assert.equal(compact.length, 2);
for (const url of compact) assert.deepEqual(new Uint8Array(await (await fetch(url)).arrayBuffer()), CONTENT);

// A project.
const project = sallyport.ok(
  await client.POST("/v1/projects", {
    body: { name: "By the TypeScript client", storage_id: storage.id, files: [{ file_key: KEY }] },
  }),
);
const files = (page_token?: string) =>
  client.GET("/v1/projects/{project_id}/files", {
    params: { path: { project_id: project.id }, query: { page_token } },
  });
const of_project: string[] = [];
for await (const file of sallyport.items(files, (page) => page.files)) of_project.push(file.file_key);
assert.deepEqual(of_project, [KEY]);
const page = sallyport.ok(
  await client.GET("/v1/projects/{project_id}/files", {
    params: { path: { project_id: project.id }, query: { sign: "GET" } },
  }),
);
const ofFile = page.files[0]?.url;
assert.ok(ofFile != null);
assert.deepEqual(new Uint8Array(await (await fetch(ofFile)).arrayBuffer()), CONTENT);

// The event of the new storage.
type Event = { type: string; data: { storage_id?: string; workspace_id: string } };
let event: Event | undefined;
for (let tries = 0; event === undefined && tries < 40; tries += 1) {
  if (tries > 0) await new Promise((done) => setTimeout(done, 500));
  const feed = await fetch(`${url}/v1/events?types=storage.created`, { headers: { Authorization: `Bearer ${key}` } });
  const page = (await feed.json()) as { events: Event[] };
  event = page.events.find((one) => one.data.storage_id === storage.id);
}
assert.ok(event !== undefined, "there is no event of the new storage");
assert.equal(event.type, "storage.created");
assert.equal(event.data.workspace_id, workspace.id);
console.log("the TypeScript client has done the walk");
