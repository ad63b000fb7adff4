// A zone that is full: who comes too much is told to come later, who is
// there stays, and when some have gone there is room again.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Server, until } from "./lib/server.mjs";

describe("a zone with few rooms", { timeout: 120000 }, () => {
  let server;

  before(async () => { server = await Server.start({ workers: 2, zone: "1m ring=256 rooms=64" }); });
  after(async () => assert.deepEqual(await server.stop(), []));

  it("takes news of more conversations than it has rooms, and goes on", async () => {
    const mia = await server.connected("mia");
    await server.sql(`select messaging.conversation_make(messaging.new_id(), 'GROUP', 'ana',
      array['mia'], 'one of many', null) from generate_series(1, 200)`);
    const made = () => new Set(mia.all("conversation_created").map((c) => c.id));
    await until(() => made().size === 200, "all of them", 30000);
    assert.match(await server.do("log"), /more conversations have news than there are rooms in the zone/);
    for (const id of [...made()].slice(0, 100)) {
      const message = await server.said("ana", id, "to one of many");
      await mia.next("new_message", (m) => m.id === message.id);
    }
    const last = await server.connected("mia");
    assert.ok(last.connected);
  });
});

describe("a zone that is full", { timeout: 120000 }, () => {
  let server;

  before(async () => {
    server = await Server.start({ workers: 2, zone: "1m ring=64 rooms=64 bodies=65536",
      directives: "mentara_ping interval=60s timeout=60s;" });
  });
  after(async () => assert.deepEqual(await server.stop(), []));

  const open = () => fetch(`${server.url}/socket.io/?EIO=4&transport=polling`);
  const sid = async (response) => JSON.parse((await response.text()).slice(1)).sid;
  const close = (id) => fetch(`${server.url}/socket.io/?EIO=4&transport=polling&sid=${id}`,
    { method: "POST", body: "1", headers: { "content-type": "text/plain" } });

  it("answers 503 with Retry-After, serves who is there, and lets others in later", async () => {
    const id = await server.direct("mia", "ana");
    const mia = await server.connected("mia", { transports: ["polling"] });
    const ana = await server.connected("ana");
    const sids = [];
    let refused;

    while (!refused) {
      const response = await open();

      if (response.status === 200) sids.push(await sid(response));
      else refused = response;
      assert.ok(sids.length < 20000, "it never gets full");
    }

    assert.equal(refused.status, 503);
    assert.equal(refused.headers.get("retry-after"), "1");

    const message = await server.said("ana", id, "said while the zone is full");
    await mia.next("new_message", (m) => m.id === message.id);
    await ana.next("new_message", (m) => m.id === message.id);

    // a WebSocket needs no room there
    await server.connected("ben");

    for (const one of sids.slice(0, 20)) await close(one);
    await until(async () => (await open()).status === 200, "room again");
    assert.match(await server.do("log"), /\[error\].*mentara: the zone is full of polled sessions/);
  });
});
