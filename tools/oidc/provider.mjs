// An OpenID provider for the tests: oidc-provider (https://github.com/panva/node-oidc-provider) on a free port of
// 127.0.0.1, with people who need no password.
//
// It prints its issuer as one line. It then reads one line of JSON and answers from then on:
//
//   {"client": {...}, "people": {"ada": {"claim": ...}}, "claims_at_userinfo": false}
//
// `client` is the client's metadata (OpenID Connect Dynamic Client Registration 1.0), `people` the claims of each person
// by the name that they sign in with. With `claims_at_userinfo` they are not in the ID token. It ends when its standard
// input ends.

import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

// The library writes warnings about such a server, and standard output is for two lines alone.
console.info = console.warn = console.log = () => {};
process.env.NODE_ENV = "test";
const { Provider } = await import("oidc-provider");

const key = (id, alg, type, options) => {
  const { privateKey } = generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: "jwk" }), kid: id, alg, use: "sig" };
};

const keys = () => [
  key("rsa", "RS256", "rsa", { modulusLength: 2048 }),
  key("pss", "PS256", "rsa", { modulusLength: 2048 }),
  key("ec", "ES256", "ec", { namedCurve: "P-256" }),
  key("ed", "EdDSA", "ed25519", {}),
];

const page = `<!doctype html><html lang="en"><title>Sign in</title>
<form method="post"><label>Name <input name="name" autofocus></label> <button>Sign in</button></form></html>`;

async function form(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  return new URLSearchParams(text);
}

function provider(issuer, { client, people, claims_at_userinfo: apart }) {
  const names = new Set(Object.values(people).flatMap((claims) => Object.keys(claims)));
  const made = new Provider(issuer, {
    clients: [client],
    jwks: { keys: keys() },
    cookies: { keys: ["only for tests"] },
    claims: apart ? { openid: ["sub"], profile: [...names] } : { openid: ["sub", ...names] },
    // At most providers the claims are in the ID token.
    conformIdTokenClaims: Boolean(apart),
    features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true } },
    findAccount: (_, id) => people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) },
    interactions: { url: (_, interaction) => `/people/${interaction.uid}` },
    // Nobody is asked for consent.
    loadExistingGrant: async (context) => {
      const { provider: at, session, client: by } = context.oidc;
      const grant = new at.Grant({ clientId: by.clientId, accountId: session.accountId });
      grant.addOIDCScope("openid profile");
      grant.addOIDCClaims([...names]);
      await grant.save();
      return grant;
    },
  });
  made.on("server_error", (_, error) => process.stderr.write(`${error.stack}\n`));
  made.on("backchannel.error", (_, error) => process.stderr.write(`${error.stack}\n`));
  const handle = made.callback();
  return async (request, response) => {
    if (!request.url.startsWith("/people/")) return handle(request, response);
    if (request.method !== "POST") {
      response.setHeader("content-type", "text/html; charset=utf-8");
      return response.end(page);
    }
    const accountId = (await form(request)).get("name");
    return made.interactionFinished(request, response, { login: { accountId } });
  };
}

let serve = (_, response) => response.writeHead(503).end();
const server = createServer((request, response) =>
  Promise.resolve(serve(request, response)).catch((error) => {
    process.stderr.write(`${error.stack}\n`);
    response.writeHead(500).end();
  }),
);
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  process.stdout.write(`${issuer}\n`);
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    serve = provider(issuer, JSON.parse(line));
    process.stdout.write("ready\n");
  });
  lines.on("close", () => process.exit(0));
});
