// Makes the TypeScript types of the OpenAPI document: node generate.mjs DOCUMENT OUTPUT
// Bytes become `Blob`, as openapi-typescript's documentation shows it; by itself it makes them strings.

import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";

const [document, output] = process.argv.slice(2);
const BLOB = ts.factory.createTypeReferenceNode(ts.factory.createIdentifier("Blob"));
const ast = await openapiTS(JSON.parse(readFileSync(document, "utf8")), {
  transform: (schema) => (schema.format === "binary" ? BLOB : undefined),
});
writeFileSync(output, astToString(ast));
