// The main job by the TypeScript client that openapi-typescript makes of the OpenAPI document: the same as
// main_job.py. `tools/check_clients.py` compiles and runs it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import process from "node:process";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Problem = components["schemas"]["Problem"];

const KEY = "/from-typescript/hello.bin";
const CONTENT = Uint8Array.from({ length: 10240 }, (_, at) => at % 256);

function variable(name: string): string {
  const value = process.env[name];
  assert.ok(value !== undefined, `${name} is not set`);
  return value;
}

/** Runs the customer's administrator, who applies the documents. Gives the role's ARN. */
function provision(documents: components["schemas"]["Documents"]): string {
  const [program, ...rest]: string[] = JSON.parse(variable("PROVISION"));
  assert.ok(program !== undefined);
  return execFileSync(program, rest, { input: JSON.stringify(documents), encoding: "utf8" }).trim();
}

/** The data of an answer that must be a success. */
function given<T>(answer: { data?: T; error?: Problem; response: Response }): T {
  assert.ok(answer.data !== undefined, `${answer.response.status}: ${JSON.stringify(answer.error)}`);
  return answer.data;
}

const client = createClient<paths>({
  baseUrl: variable("SALLYPORT_URL"),
  headers: { Authorization: `Bearer ${variable("SALLYPORT_TOKEN")}` },
});

const setup = given(
  await client.POST("/v1/storage-setups", {
    body: { bucket: variable("BUCKET"), prefix: "team", access: "read_write" },
  }),
);
const ofSetup = { path: { setup_id: setup.id } };
const refused = await client.POST("/v1/storage-setups/{setup_id}/complete", { params: ofSetup });
assert.equal(refused.error?.code, "check_required");

const documents = given(await client.GET("/v1/storage-setups/{setup_id}/documents", { params: ofSetup }));
const role_arn = provision(documents);
given(await client.PATCH("/v1/storage-setups/{setup_id}", { params: ofSetup, body: { role_arn } }));
const report = given(
  await client.POST("/v1/storage-setups/{setup_id}/check", { params: { ...ofSetup, query: { wait: 60 } } }),
);
assert.notEqual(report.outcome, "failed", JSON.stringify(report));
const storage = given(await client.POST("/v1/storage-setups/{setup_id}/complete", { params: ofSetup }));

const ofStorage = { path: { storage_id: storage.id } };
const page = given(
  await client.GET("/v1/storages/{storage_id}/files", { params: { ...ofStorage, query: { folder: "/" } } }),
);
assert.ok(page.folders.length > 0);

const ofFile = { ...ofStorage, query: { key: KEY } };
const content = "/v1/storages/{storage_id}/files/content";
type Upload = paths[typeof content]["put"]["requestBody"]["content"]["application/octet-stream"];
// Numbers and text would be sent as JSON and stored as that text, so the types must refuse them.
// @ts-expect-error
[104, 105] satisfies Upload;
// @ts-expect-error
"hi" satisfies Upload;
const upload = () =>
  client.PUT(content, {
    params: { ...ofFile, header: { "If-None-Match": "*" } },
    body: new Blob([CONTENT]),
    bodySerializer: (body) => body,
    headers: { "Content-Type": "application/octet-stream" },
  });
assert.equal(given(await upload()).size, CONTENT.length);
assert.equal((await upload()).error?.code, "precondition_failed");

const whole = given(await client.GET(content, { params: ofFile, parseAs: "arrayBuffer" }));
assert.deepEqual(new Uint8Array(whole), CONTENT);
const named = given(await client.GET("/v1/storages/{storage_id}/files/metadata", { params: ofFile }));
assert.equal(named.size, CONTENT.length);
assert.equal(named.content_type, "application/octet-stream");
const range = { ...ofFile, header: { Range: "bytes=0-9" } };
const part = given(await client.GET(content, { params: range, parseAs: "arrayBuffer" }));
assert.deepEqual(new Uint8Array(part), CONTENT.slice(0, 10));
const missing = await client.GET(content, { params: { ...ofStorage, query: { key: "/not-there" } } });
assert.equal(missing.error?.code, "file_not_found");

const signed = given(
  await client.POST("/v1/storages/{storage_id}/files/sign", {
    params: ofStorage,
    body: { keys: [KEY], method: "GET" },
  }),
);
const url = signed.urls[0]?.url;
assert.ok(url !== undefined);
assert.deepEqual(new Uint8Array(await (await fetch(url)).arrayBuffer()), CONTENT);

const project = given(
  await client.POST("/v1/projects", {
    body: { name: "By the TypeScript client", storage_id: storage.id, files: [{ file_key: KEY }] },
  }),
);
const files = given(
  await client.GET("/v1/projects/{project_id}/files", { params: { path: { project_id: project.id } } }),
);
assert.deepEqual(
  files.files.map((file) => file.file_key),
  [KEY],
);
console.log("the TypeScript client has done the main job");
