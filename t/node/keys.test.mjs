// Sockets with a key set that is fetched: the first client gets in, and so
// does one whose token was signed by a key that is new.

import assert from "node:assert/strict";
import { createSign, generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import { after, before, describe, it } from "node:test";
import { Server, until } from "./lib/server.mjs";

const base64 = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

function key(kid) {
  const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk = { ...pair.publicKey.export({ format: "jwk" }), kid, alg: "RS256", use: "sig" };
  const token = (sub) => {
    const text = `${base64({ alg: "RS256", kid })}.${base64({
      sub, exp: Math.floor(Date.now() / 1000) + 3600 })}`;
    return `${text}.${createSign("sha256").update(text).sign(pair.privateKey, "base64url")}`;
  };
  return { jwk, token };
}

describe("a key set that is fetched", { timeout: 120000 }, () => {
  const one = key("one"), two = key("two");
  let server, keys = [one], asked = 0, down = false;
  const source = http.createServer((request, response) => {
    asked++;
    if (down) { response.writeHead(500).end(); return; }
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }));
  });

  before(async () => {
    source.listen(0, "127.0.0.1");
    await once(source, "listening");
    server = await Server.start({
      workers: 2, keys: "mentara_jwt_jwks /_jwks refresh=2s;",
      locations: `location = /_jwks { internal;
        proxy_pass http://127.0.0.1:${source.address().port}/; }` });
  });
  after(async () => {
    assert.deepEqual(await server.stop(), []);
    source.close();
  });

  const client = (token, options) => server.client(null, { auth: { token }, ...options });
  const plain = (token) => server.plain(null, { headers: { authorization: `Bearer ${token}` } });

  for (const transports of [["websocket"], ["polling"]]) {
    it(`b16: lets the first client in by ${transports}, without a refusal`, async () => {
      const socket = client(one.token("mia"), { transports });
      const errors = [];
      socket.on("connect_error", (error) => errors.push(error.message));
      await socket.next("connected");
      assert.deepEqual(errors, []);
    });
  }

  it("b16: lets the first plain WebSocket in", async () => {
    await plain(one.token("mia")).next("connected");
  });

  it("b16: lets clients in that bring a key which is new", async () => {
    keys = [one, two];
    const socket = client(two.token("ana"));
    await socket.next("connected", undefined, 30000);
    await until(async () => {
      const ws = plain(two.token("ben"));
      await until(() => ws.status || ws.frames.length, "an answer");
      return ws.frames.length;
    }, "a plain WebSocket", 30000);
  });

  it("b16: refuses a key that nobody has, for good, once it was looked for", async () => {
    const socket = client(key("three").token("mia"));
    const refused = await new Promise((resolve) =>
      socket.on("connect_error", (error) => error.data && resolve(error)));
    assert.equal(refused.data.statusCode, 401);
    assert.equal(socket.active, false);
  });

  it("keeps the keys that it has while the key server is down", async () => {
    down = true;
    const before = asked;
    await until(async () => {
      const socket = client(two.token("jun"));
      await socket.next("connected");
      socket.disconnect();
      return asked > before;
    }, "a fetch in vain", 30000);
    await client(one.token("rosa")).next("connected");
  });
});
