// What a client that was away gets when it is back: stock clients, whatever
// was lost meanwhile: the connection, all workers, the database, the ring.

import assert from "node:assert/strict";
import { it } from "node:test";
import { away, back, ENDS, got, ids, replay, says } from "./lib/away.mjs";
import { raw, rawio } from "./lib/raw.mjs";
import { sleep, until } from "./lib/server.mjs";
import { suite } from "./lib/suite.mjs";

// exact: the ring holds all of it, so nothing comes twice
const recovering = (exact) => (box) => {
  const heard = (client, id) => {
    const all = client.all("new_message").filter((m) => m.conversationId === id);
    return exact ? all : all.filter((m, i) => all.findIndex((n) => n.id === m.id) === i);
  };

  for (const transports of [["websocket"], ["polling"], ["polling", "websocket"]]) {
    const by = transports.join(" and ");

    it(`b40: what was missed comes once, in order, before connected, by ${by}`, async () => {
      const { server } = box;
      const id = await server.group("ana", "mia", "jun");
      const direct = await server.direct("ana", "mia");
      const mia = await server.connected("mia", { transports });
      const first = await server.said("ana", id, "before she was away");
      await mia.next("new_message", (m) => m.id === first.id);
      await server.settled(mia);
      await away(mia);
      const missed = [];
      for (let i = 0; i < 25; i++) {
        missed.push(await server.said(i % 3 ? "ana" : "jun", id, `missed, number ${i}`));
        if (i % 5 === 0) missed.push(await server.said("ana", direct, `missed, by ${i}`));
      }
      back(mia);
      const events = await got(mia, ids(missed));
      for (const m of missed) {
        assert.equal(JSON.stringify(events.find(({ data }) => data.id === m.id).data), m.text);
      }
      const live = await server.said("ana", id, "after she is back");
      await mia.next("new_message", (m) => m.id === live.id);
      await server.settled(mia);
      assert.deepEqual(ids(heard(mia, id)),
        ids([first, ...missed.filter((m) => m.conversationId === id), live]));
      assert.equal(mia.all("new_message").filter((m) => m.id === live.id).length, 1);
    });
  }

  it("b40: a client cut before its first event recovers by its pid alone", async () => {
    const { server } = box;
    const id = await server.direct("ana", "rosa");
    const rosa = server.client("rosa");
    // the transport goes in the moment CONNECT is answered: what came with
    // the answer is as if it had not
    rosa.once("connect", () => { rosa.io.reconnection(false); rosa.io.engine.close(); });
    await until(() => rosa.disconnected && rosa._pid !== undefined, "cut");
    rosa.receiveBuffer = [];
    assert.deepEqual([rosa.events, rosa._lastOffset], [[], undefined]);
    const missed = await says(server, "ana", id, 3);
    back(rosa);
    await got(rosa, ids(missed));
  });

  it("b40: what only the database has yet comes before connected, too", async () => {
    const { server } = box;
    const [known, unknown] = [await server.group("ana", "mia"), await server.group("ana", "mia")];
    // the log forgets its conversations, and hears of one again
    await server.do("restart");
    await says(server, "ana", known, 1, "before she was away");
    const mia = await server.connected("mia");
    await server.settled(mia);

    // as another host would: this one's workers come to know by their sweep
    const elsewhere = async (id) => {
      const rows = await server.sql(`select id from messaging.message_send('ana', '${id}',
        messaging.new_id(), 'said elsewhere', 'TEXT', null, null, null, null, null, null)
        where kind = 'm'`);
      return rows.flat()[0];
    };

    for (let round = 0; round < 5; round++) {
      await away(mia);
      const missed = [];
      for (const id of [known, unknown, known]) missed.push(await elsewhere(id));
      back(mia);
      const events = await got(mia, missed);
      assert.equal(events.at(-1).event, "connected");
      await server.settled(mia);
      const seqs = (id) => mia.all("new_message").filter((m) => m.conversationId === id).map((m) => m.seq);
      const once = (all) => (exact ? all : [...new Set(all)]);
      assert.deepEqual(once(seqs(unknown)), Array.from({ length: round + 1 }, (_, i) => i + 1));
      assert.deepEqual(once(seqs(known)), Array.from({ length: 2 * round + 2 }, (_, i) => i + 2));
    }
  });

  it("b40: a connection that dies without a word is recovered too", async () => {
    const { server } = box;
    const id = await server.direct("ana", "mia");
    const mia = await server.connected("mia");
    await server.settled(mia);
    mia.seen = mia.events.length;
    mia.io.engine.transport.ws.terminate();
    const missed = await says(server, "ana", id, 3);
    await mia.next("new_message", (m) => m.id === missed[2].id);
    await until(() => mia.all("connected").length === 2, "back");
    assert.equal(mia.recovered, true);
    assert.deepEqual(ids(heard(mia, id)), ids(missed));
  });

  for (const [what, happen] of ENDS) {
    for (const transports of [["websocket"], ["polling"]]) {
      it(`b40: who was away when ${what} misses nothing, by ${transports}`, async () => {
        const { server } = box;
        const id = await server.group("ana", "mia");
        const mia = await server.connected("mia", { transports });
        await server.settled(mia);
        await away(mia);
        const before = await says(server, "ana", id, 3, "before the end");
        await happen(server);
        const then = await says(server, "ana", id, 3, "after the end");
        back(mia);
        const events = await replay(mia);
        assert.equal(mia.recovered, true);
        const wanted = ids([...before, ...then]);
        assert.deepEqual(events.filter(({ event }) => event === "new_message").map(({ data }) => data.id)
          .filter((x) => wanted.includes(x)), wanted);
      });

      it(`b40: who was connected when ${what} misses nothing, by ${transports}`, async () => {
        const { server } = box;
        const id = await server.group("ana", "mia");
        const mia = await server.connected("mia", { transports });
        const before = await says(server, "ana", id, 2, "before the end");
        await happen(server);
        const then = await says(server, "ana", id, 3, "after the end");
        await mia.next("new_message", (m) => m.id === then[2].id, 15000);
        await server.settled(mia);
        const seqs = mia.all("new_message").filter((m) => m.conversationId === id).map((m) => m.seq);
        assert.deepEqual([...new Set(seqs)], [1, 2, 3, 4, 5], "none is lost, none is out of order");
        assert.ok(mia.all("connected").slice(1).every((c) => c.recovered));
        assert.ok(ids([...before, ...then]).every((x) => mia.all("new_message").some((m) => m.id === x)));
      });
    }
  }

  it("b33: what was edited or deleted meanwhile comes as it is now, its old text never", async () => {
    const { server } = box;
    const id = await server.direct("ana", "mia");
    const mia = await server.connected("mia");
    await server.settled(mia);
    await away(mia);
    const [one, two, three] = await says(server, "ana", id, 3, "the old text of it");
    await server.call("ana", "PUT", `/messages/${one.id}`, { content: "the new text" });
    await server.call("ana", "DELETE", `/messages/${two.id}`);
    await server.call("mia", "POST", `/messages/${three.id}/reactions`, { emoji: "👍" });
    back(mia);
    const events = await got(mia, ids([one, two, three]));
    const texts = events.filter(({ event }) => event === "new_message").map(({ data }) => data.content);
    assert.deepEqual(texts.slice(0, 2), ["the new text", ""]);
    assert.ok(!JSON.stringify(events.filter(({ data }) => (data.id ?? data.messageId) !== three.id))
      .includes("the old text"));
    const updates = events.filter(({ event }) => event === "message_updated").map(({ data }) => data);
    assert.deepEqual(updates.map((u) => [u.messageId, u.isDeleted]), [[one.id, false], [two.id, true]]);
    assert.equal(events.filter(({ event }) => event === "message_reaction").length, 1);
  });

  it("b10: a text that is deleted while it is replayed comes nowhere, in no quote and no edit", async () => {
    const { server } = box;
    const id = await server.group("ana", "mia");
    const [edited, quoted] = await says(server, "ana", id, 2, "before she was away");
    const mia = await raw(server, "mia");
    const { offset } = mia;
    mia.close();

    const said = async (content, more = {}) =>
      (await server.call("ana", "POST", `/conversations/${id}/messages`, { content, ...more })).json;
    const secret = await said("the secret itself");
    const quote = await said("a quote", { replyToId: secret.id });
    await server.call("ana", "PUT", `/messages/${quote.id}`, { content: "an edited quote" });
    await server.call("ana", "PUT", `/messages/${edited.id}`, { content: "the secret, once more" });
    await server.call("ana", "PUT", `/messages/${edited.id}`, { content: "nothing" });
    const older = await said("an older quote", { replyToId: quoted.id });
    await server.call("ana", "DELETE", `/messages/${secret.id}`);

    const back = await raw(server, "mia", { query: `?offset=${offset}` });
    const events = back.events.filter(({ data }) => (data.conversationId ?? data.message?.conversationId) === id);
    assert.ok(!JSON.stringify(events).includes("the secret"));
    // that it was delivered may have been marked in between
    const told = (m) => JSON.stringify({ ...m, deliveredTo: [] });
    const now = async (m) => told((await server.call("mia", "GET", `/messages/${m.id}`)).json);
    for (const m of [secret, quote, older]) {
      const event = events.find(({ event: name, data }) => name === "new_message" && data.id === m.id);
      assert.equal(told(event.data), await now(m), "as REST tells it");
    }
    const updates = events.filter(({ event }) => event === "message_updated").map(({ data }) => data);
    assert.deepEqual(updates.map((u) => u.messageId), [quote, edited, edited, secret].map((m) => m.id));
    const seqs = updates.map((u) => u.eventSeq);
    assert.deepEqual(seqs, [...new Set(seqs)].sort((x, y) => x - y), "each has its own place");
    for (const u of updates) {
      assert.equal(told(u.message), await now({ id: u.messageId }));
      assert.deepEqual([u.content, u.isEdited, u.isDeleted],
        [u.message.content, u.message.isEdited, u.message.isDeleted]);
    }
  });

  it("b38: who was removed meanwhile gets that event only, who was added all since", async () => {
    const { server } = box;
    const left = await server.group("ana", "mia", "ben");
    const mia = await server.connected("mia");
    await server.settled(mia);
    await away(mia);
    const secret = await server.said("ben", left, "said before she was removed");
    await server.call("ana", "DELETE", `/conversations/${left}/participants/mia`);
    const later = await server.said("ben", left, "said after she was removed");
    const joined = await server.group("ben", "ana");
    const early = await server.said("ana", joined, "said before she was added");
    await server.call("ben", "POST", `/conversations/${joined}/participants`, { userId: "mia" });
    const since = await server.said("ana", joined, "said after she was added");
    back(mia);
    const events = await replay(mia);
    assert.equal(mia.recovered, true);
    const of = (id) => events.filter(({ data }) => data.conversationId === id || data.id === id)
      .map(({ event, data }) => [event, data.content ?? null]);
    assert.deepEqual(of(left), [["participant_removed", null]]);
    assert.deepEqual(of(joined).filter(([, text]) => !/added/.test(text) || text === since.content),
      [["conversation_created", null], ["participant_added", null], ["new_message", since.content]]);
    const all = JSON.stringify(mia.events);
    for (const m of [secret, later, early]) assert.ok(!all.includes(m.id), "nothing of what is not hers");
  });

  it("b30: one's own blocks and views are recovered as well", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const mia = await server.connected("mia");
    await server.settled(mia);
    await away(mia);
    await server.call("mia", "POST", "/block", { userId: "ben" });
    await server.call("mia", "PATCH", `/conversations/${id}`, { isMuted: true });
    await server.call("mia", "PATCH", `/conversations/${id}`, { isMuted: false });
    await server.call("mia", "DELETE", "/block/ben");
    back(mia);
    const events = await got(mia, []);
    const views = events.filter(({ event }) => event === "conversation_updated").map(({ data }) => data);
    assert.deepEqual(views.map((c) => c.eventSeq), [...views.map((c) => c.eventSeq)].sort((x, y) => x - y));
    assert.equal(views.length, 2);
    assert.deepEqual(events.map(({ event }) => event).filter((name) => name !== "conversation_updated"),
      ["user_blocked", "user_unblocked", "connected"]);
  });

  it("b40: cut in the middle of a replay, each comes once", async () => {
    const { server } = box;
    const id = await server.group("ana", "mia");
    const mia = await server.connected("mia");
    await server.settled(mia);
    await away(mia);
    const missed = await says(server, "ana", id, 30);
    let cuts = 0;
    mia.on("new_message", () => {
      if (cuts < 2 && mia.all("new_message").filter((m) => m.conversationId === id).length > 5 * (cuts + 1)) {
        cuts++;
        mia.io.engine.transport.ws.terminate();
      }
    });
    back(mia);
    await mia.next("new_message", (m) => m.id === missed[29].id);
    await server.settled(mia);
    assert.deepEqual(ids(heard(mia, id)), ids(missed));
  });

  for (const transports of [["websocket"], ["polling"]]) {
    it(`b40: three hundred missed messages come complete and in order, by ${transports}`, async () => {
      const { server } = box;
      const all = [];
      for (let i = 0; i < 5; i++) all.push(await server.group("ana", "mia", "ben"));
      const mia = await server.connected("mia", { transports });
      await server.settled(mia);
      await away(mia);
      for (let i = 0; i < 15; i++) {
        await Promise.all(Array.from({ length: 20 }, (_, k) => server.said(k % 2 ? "ana" : "ben",
          all[k % 5], `of three hundred, ${i} ${k} ${"long ".repeat(60)}`)));
      }
      // she is put out of the last one, and it goes on while she comes back
      await server.call("ana", "DELETE", `/conversations/${all[4]}/participants/mia`);
      back(mia);
      const more = await Promise.all(Array.from({ length: 20 }, (_, k) =>
        server.said("ben", all[k % 4], `while she comes back, ${k}`)));
      await replay(mia);
      assert.equal(mia.recovered, true);
      await Promise.all(more.map((m) => mia.next("new_message", (n) => n.id === m.id)));
      await server.settled(mia);
      for (const id of all.slice(0, 4)) {
        assert.deepEqual(heard(mia, id).map((m) => m.seq), Array.from({ length: 65 }, (_, i) => i + 1));
      }
      assert.deepEqual(mia.events.filter(({ data }) => data.conversationId === all[4]).map(({ event }) => event),
        ["participant_removed"]);
    });

    it(`b40: two megabytes that were missed come complete, by ${transports}`, async () => {
      const { server } = box;
      const id = await server.group("ana", "mia");
      const mia = await server.connected("mia", { transports });
      await server.settled(mia);
      await away(mia);
      const missed = await Promise.all(Array.from({ length: 50 }, (_, i) =>
        server.said("ana", id, `${i} ${"🙂".repeat(9990)}`)));
      back(mia);
      await replay(mia);
      assert.equal(mia.recovered, true);
      await server.settled(mia);
      assert.deepEqual(heard(mia, id).map((m) => m.seq), Array.from({ length: 50 }, (_, i) => i + 1));
      for (const m of missed) {
        assert.equal(JSON.stringify(heard(mia, id).find(({ id }) => id === m.id)), m.text);
      }
    });

    it(`b40: two megabytes at once to who is there come complete, by ${transports}`, async () => {
      const { server } = box;
      const id = await server.group("ana", "mia");
      const mia = await server.connected("mia", { transports });
      await Promise.all(Array.from({ length: 50 }, (_, i) =>
        server.said("ana", id, `${i} ${"🙂".repeat(9990)}`)));
      await mia.next("new_message", (m) => m.conversationId === id && m.seq === 50);
      await until(() => mia.connected, "it is connected");
      await server.settled(mia);
      assert.deepEqual(heard(mia, id).map((m) => m.seq), Array.from({ length: 50 }, (_, i) => i + 1));
    });
  }

  it("b40: while they come back messages go on, and none is lost or doubled", async () => {
    const { server } = box;
    const id = await server.group("ana", "mia", "jun");
    const clients = [];
    for (const who of ["mia", "jun", "ana"]) {
      for (const transports of [["websocket"], ["polling"], ["polling", "websocket"]]) {
        clients.push(await server.connected(who, { transports }));
      }
    }
    let on = true;
    const cutting = (async () => {
      while (on) {
        for (const client of clients) {
          if (client.connected) client.io.engine.close();
          await sleep(40);
        }
      }
    })();
    const said = await says(server, "ana", id, 80, "while they come and go");
    on = false;
    await cutting;
    await Promise.all(clients.map((c) => c.next("new_message", (m) => m.id === said[79].id, 20000)));
    await until(() => clients.every((c) => c.connected), "all are back");
    await server.settled(...clients);
    for (const client of clients) {
      assert.deepEqual(heard(client, id).map((m) => m.seq), Array.from({ length: 80 }, (_, i) => i + 1));
      assert.ok(client.all("connected").slice(1).every((c) => c.recovered));
    }
  });

  it("b40: the plain endpoint recovers by its offset", async () => {
    const { server } = box;
    const id = await server.direct("ana", "mia");
    const ws = server.plain("mia");
    const { offset, data } = await ws.next("connected");
    assert.deepEqual([typeof offset, data.recovered], ["string", false]);
    ws.close();
    await until(() => ws.code !== undefined, "closed");
    const missed = await says(server, "ana", id, 3);
    let last = offset;

    for (let i = 0; i < 2; i++) {
      const again = server.plain("mia", { query: `?offset=${encodeURIComponent(last)}` });
      const connected = await again.next("connected");
      assert.equal(connected.data.recovered, true);
      const before = again.frames.slice(0, again.frames.indexOf(connected));
      const heard = before.filter(({ event }) => event === "new_message");
      assert.deepEqual(heard.map((f) => f.data.id), ids(missed.slice(i)));
      assert.ok(before.every((f) => typeof f.offset === "string"));
      last = heard[0].offset;
      again.close();
    }
    // malformed, too long for a number, ahead of the ring, ahead of the database
    const parts = offset.split(".");
    for (const bad of ["nonsense", "1.2.3", `${offset}x`, `f${"0".repeat(16)}.${parts.slice(1).join(".")}`,
                       parts.with(1, "ffffffff").join("."),
                       parts.with(0, "1").with(2, "ffffffffffff").join(".")]) {
      const ws = server.plain("mia", { query: `?offset=${encodeURIComponent(bad)}` });
      assert.equal((await ws.next("connected")).data.recovered, false, bad);
      assert.equal(ws.frames[0].event, "connected");
    }
  });
};

suite("Recovery", { directives: "mentara_drain 500ms;\n" }, recovering(true));
suite("Recovery, from the database", {
  zone: "8m ring=16", directives: "mentara_drain 500ms;\n",
}, recovering(false));

suite("Recovery: who may", {
  directives: "mentara_drain 500ms; mentara_socket_lifetime 8s;\n",
}, (box) => {
  // a client with a pid and offset of its own choice
  async function returns(who, pid, offset, more = {}) {
    const { server } = box;
    const client = server.client(who, { autoConnect: false, ...more });
    client._pid = pid;
    client._lastOffset = offset;
    client.seen = 0;
    client.connect();
    await replay(client);
    return client;
  }

  async function gone(who) {
    const client = await box.server.connected(who);
    await box.server.settled(client);
    await away(client);
    return client;
  }

  it("b40: another's pid recovers nothing and gets a new one", async () => {
    const { server } = box;
    const mia = await gone("mia");
    const id = await server.direct("ana", "mia");
    const missed = await server.said("ana", id, "of mia and ana alone");
    const xeno = await returns("xeno", mia._pid, mia._lastOffset);
    assert.equal(xeno.recovered, false);
    assert.equal(xeno.all("connected")[0].recovered, false);
    assert.notEqual(xeno._pid, mia._pid);
    assert.ok(!JSON.stringify(xeno.events).includes(missed.id));
    const mine = await returns("mia", mia._pid, mia._lastOffset);
    assert.equal(mine.recovered, true);
    assert.equal(mine.all("new_message")[0].id, missed.id);
  });

  it("b40: a forged pid, or an offset that cannot be, is recovered:false with a new pid", async () => {
    const mia = await gone("mia");
    const [pid, offset] = [mia._pid, mia._lastOffset];
    const flip = (text, at) => text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
    const parts = offset.split(".");
    const cases = [
      ["nonsense", offset], ["", offset], [flip(pid, 0), offset], [flip(pid, pid.length >> 1), offset],
      [pid.slice(0, -1), offset], [`${pid}A`, offset], ["x".repeat(5000), offset],
      [pid, "nonsense"], [pid, "...."], [pid, `${offset}.1`], [pid, `-${offset}`],
      [pid, offset.split(".").slice(0, -1).join(".")],
      [pid, [parts[0], String(BigInt(parts[1]) + 1000000n), ...parts.slice(2)].join(".")],
      [pid, [...parts.slice(0, -1), "99999999999999"].join(".")],
      [pid, [...parts.slice(0, -1), "99999999999999999999999999"].join(".")],
      [pid, "x".repeat(5000)],
    ];

    for (const [p, o] of cases) {
      const client = await returns("mia", p, o);
      const what = JSON.stringify([p, o]).slice(0, 200);
      assert.equal(client.recovered, false, what);
      assert.equal(client.all("connected")[0].recovered, false, what);
      assert.equal(client.events[0].event, "connected", what);
      assert.ok(client._pid && client._pid !== p, "a new pid");
      client.disconnect();
    }
    // a stock client then still sends its old offset with the new pid
    const again = await returns("mia", "nonsense", "nonsense");
    await away(again);
    const id = await box.server.direct("ana", "mia");
    const missed = await says(box.server, "ana", id, 2);
    back(again);
    await got(again, ids(missed));
  });

  it("b40: an offset without a pid, or one that is no string, is recovered:false", async () => {
    const { server } = box;
    const mia = await gone("mia");
    const from = { pid: mia._pid, offset: mia._lastOffset };
    for (const auth of [{ ...from, pid: undefined }, { ...from, pid: null }, { ...from, pid: 5 },
                        { ...from, pid: {} }, { ...from, pid: "" }, { ...from, offset: 5 }, { ...from, offset: {} }]) {
      const client = await rawio(server, "mia", { auth });
      assert.equal(client.all("connected")[0].recovered, false, JSON.stringify(auth));
      assert.notEqual(client.pid, from.pid);
      client.close();
    }
    const client = await rawio(server, "mia", { auth: from });
    assert.equal(client.all("connected")[0].recovered, true);
    assert.equal(client.pid, from.pid);
  });

  it("b40: an old offset with a new pid loses nothing", async () => {
    const { server } = box;
    const id = await server.group("ana", "mia");
    const mia = await gone("mia");
    const offset = mia._lastOffset;
    const fresh = await gone("mia");
    const missed = await says(server, "ana", id, 3);
    const client = await returns("mia", fresh._pid, offset);
    assert.equal(client.recovered, true);
    assert.deepEqual(client.all("new_message").filter((m) => m.conversationId === id).map((m) => m.id),
      ids(missed));
  });

  it("b40: older than what is kept is recovered:false", async () => {
    const { server } = box;
    const mia = await gone("mia");
    await server.do("restart");
    await server.sql(`insert into messaging.kept (from_xid)
      select pg_snapshot_xmax(pg_current_snapshot()) `).catch(async () => {
      await server.sql("update messaging.kept set from_xid = pg_snapshot_xmax(pg_current_snapshot())");
    });
    await says(server, "ana", await server.direct("ana", "mia"), 1);
    const client = await returns("mia", mia._pid, mia._lastOffset);
    assert.equal(client.recovered, false);
    assert.equal(client.events[0].event, "connected");
  });

  it("b16: with one's own pid an expired token is taken, until the lifetime is over", async () => {
    const { server } = box;
    const token = server.token("jun", { exp: Math.floor(Date.now() / 1000) + 2 });
    const jun = server.client("jun", { auth: { token } });
    await jun.next("connected");
    await server.settled(jun);
    await away(jun);
    const since = Date.now();
    const expired = server.token("jun", { exp: Math.floor(Date.now() / 1000) - 60 });
    const id = await server.direct("ana", "jun");
    const missed = await says(server, "ana", id, 2);
    jun.auth = { token: expired };
    back(jun);
    await got(jun, ids(missed));
    await away(jun);

    const refused = (client) => new Promise((resolve) => client.on("connect_error", resolve));
    const other = server.client("mia", { autoConnect: false, reconnection: false,
      auth: { token: server.token("mia", { exp: Math.floor(Date.now() / 1000) - 60 }) } });
    other._pid = jun._pid;
    other.connect();
    assert.equal((await refused(other)).data.code, "token_expired", "another's pid lends nothing");
    const none = server.client("jun", { auth: { token: expired } });
    assert.equal((await refused(none)).data.code, "token_expired", "without a pid it is refused");

    await until(() => Date.now() - since > 9000, "the lifetime is over", 12000);
    jun.io.reconnection(false);
    jun.connect();
    assert.equal((await refused(jun)).data.code, "token_expired");
  });

  it("b71: one's own pid opens nothing to who was deactivated", async () => {
    const { server } = box;
    const rosa = await gone("rosa");
    await server.sql("update messaging.people set is_active = false where id = 'rosa'");
    await until(async () => (await server.call("rosa", "GET", "/me")).status === 403, "403");
    const refused = new Promise((resolve) => rosa.on("connect_error", resolve));
    back(rosa);
    assert.deepEqual((await refused).data, { statusCode: 403, code: "user_inactive" });
    await server.sql("update messaging.people set is_active = true where id = 'rosa'");
  });
});
