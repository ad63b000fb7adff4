// What goes on while harm is done: sessions by polling that change workers,
// clients under load whose workers die, sockets without a database.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import net from "node:net";
import { it } from "node:test";
import WebSocket from "ws";
import { allKilled, allTerminated, ENDS, got, ids, reloaded, says } from "./lib/away.mjs";
import { answer, sleep, until } from "./lib/server.mjs";
import { suite } from "./lib/suite.mjs";

const RS = "\x1e";

// Engine.IO by hand, by polling
class Polling {
  static async open(server, who, { claims = {}, headers = {} } = {}) {
    const p = Object.assign(new Polling(), { server, packets: [] });
    p.url = `${server.url}/socket.io/?EIO=4&transport=polling`;
    const { sid } = JSON.parse((await answer(p.url, { headers })).text.slice(1));
    p.sid = sid;
    p.url += `&sid=${sid}`;
    if (who) {
      await p.post(`40/messaging,${JSON.stringify({ token: server.token(who, claims) })}`);
      await p.until((text) => text.startsWith('42/messaging,["connected"'));
    }
    return p;
  }

  async post(...packets) {
    return (await answer(this.url, { method: "POST" }, packets.join(RS))).status;
  }

  // one GET: packets
  async poll() {
    const { status, text } = await answer(this.url, {});
    if (status !== 200) throw new Error(`${status} ${text}`);
    const packets = text.split(RS);
    for (const packet of packets) if (packet === "2") await this.post("3");
    this.packets.push(...packets);
    return packets;
  }

  async until(fits) {
    while (!this.packets.some(fits)) await this.poll();
    return this.packets.find(fits);
  }

  messages() {
    return this.packets.filter((t) => t.startsWith('42/messaging,["new_message"'))
      .map((t) => JSON.parse(t.slice(13))[1]);
  }
}

// its WebSocket, which has been answered `3probe`: texts that came, code of its end
async function probing(server, { sid }) {
  const ws = new WebSocket(`${server.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket&sid=${sid}`);
  server.sockets.push(ws);
  ws.texts = [];
  ws.on("message", (data) => ws.texts.push(String(data)));
  ws.on("close", (code) => { ws.code = code; });
  await new Promise((resolve) => ws.on("open", resolve));
  ws.send("2probe");
  await until(() => ws.texts.includes("3probe"), "3probe");
  return ws;
}

suite("Polling sessions", { directives: "mentara_drain 300ms;\n" }, (box) => {
  it("b59: a session lives on over a reload, its waiting GET is answered 6", async () => {
    const { server } = box;
    const id = await server.group("ana", "mia");
    const p = await Polling.open(server, "mia");
    const waiting = p.poll();
    await sleep(100);
    await reloaded(server);
    const packets = await waiting;
    assert.deepEqual(packets, ["6"]);
    const missed = await says(server, "ana", id, 3, "after the reload");
    await p.until((t) => t.includes(missed[2].id));
    assert.deepEqual(p.messages().map((m) => m.id), ids(missed));
    assert.equal(await p.post('42/messaging,7["leave_conversation",{"conversationId":"' + id + '"}]'), 200);
    assert.equal(await p.until((t) => t.startsWith("43/messaging,7")), '43/messaging,7[{"success":true}]');
    assert.equal(p.packets.filter((t) => t.startsWith("40")).length, 1, "no second CONNECT");
    assert.equal(p.packets.filter((t) => t.includes('"connected"')).length, 1, "nor connected");
  });

  it("b59: what a leaving worker is asked last is answered, and waits for another one", async () => {
    const { server } = box;
    const id = await server.group("ana", "mia");
    const p = await Polling.open(server, "mia");
    const { hostname, port, pathname, search } = new URL(p.url);
    const late = ["GET", "POST"].map((method) => {
      const socket = net.connect({ host: hostname, port });
      socket.text = "";
      socket.on("data", (data) => { socket.text += data; });
      socket.write(`${method} ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}\r\n`);
      return socket;
    });
    const waiting = p.poll();
    await sleep(100);
    await server.do("reload");
    assert.deepEqual(await waiting, ["6"], "the session has been left to another worker");
    const [get, post] = late;
    get.write("\r\n");
    await until(() => get.text.includes("\r\n\r\n6"), "6");
    const body = `42/messaging,7["join_conversation",{"conversationId":"${id}"}]`;
    post.write(`Content-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    await until(() => post.text.includes("\r\n\r\nok"), "ok");
    assert.equal(await p.until((t) => t.startsWith("43/messaging,7")), '43/messaging,7[{"success":true}]');
    assert.equal(p.packets.filter((t) => t.includes('"connected"')).length, 1);
    for (const socket of late) socket.destroy();
  });

  it("b59: a session lives on when all workers are killed, and misses nothing", async () => {
    const { server } = box;
    const id = await server.group("ana", "mia");
    const p = await Polling.open(server, "mia");
    const before = await says(server, "ana", id, 2, "not fetched yet");
    await allKilled(server);
    const after = await says(server, "ana", id, 2, "after the kill");
    await p.until((t) => t.includes(after[1].id));
    const heard = p.messages().map((m) => m.id);
    assert.deepEqual([...new Set(heard)], ids([...before, ...after]));
    assert.equal(p.packets.filter((t) => t.startsWith("40")).length, 1);
  });

  it("a leaving worker leaves, though a new one has the WebSocket of its session: 1012", async () => {
    const { server } = box;
    const p = await Polling.open(server, "mia");
    const old = server.workers();
    old.forEach((pid) => process.kill(pid, "SIGSTOP"));
    let ws;

    try {
      await server.do("reload");
      await until(() => server.workers().length === 2 * old.length, "new workers");
      ws = await probing(server, p);
      ws.send("5");
      // the new worker has read it
      const pong = new Promise((resolve) => ws.on("pong", resolve));
      ws.ping();
      await pong;
    } finally {
      old.forEach((pid) => process.kill(pid, "SIGCONT"));
    }

    await until(() => server.workers().every((pid) => !old.includes(pid)), "the old workers are gone");
    await until(() => ws.code !== undefined, "the end");
    assert.equal(ws.code, 1012);
  });

  // between `3probe` and `5` a stock client polls no more, and would not begin again
  it("b59: a leaving worker lets an upgrade that has begun come to its end: then 1012", async () => {
    const { server } = box;
    const p = await Polling.open(server, "mia");
    const old = server.workers();
    const ws = await probing(server, p);
    const ending = server.plain("ana");
    await ending.next("connected");
    await server.do("reload");
    await until(() => ending.code === 1012, "others are closed");
    await sleep(500);
    assert.equal(ws.code, undefined);
    ws.send("5");
    await until(() => ws.code !== undefined, "the end");
    assert.equal(ws.code, 1012);
    await until(() => server.workers().every((pid) => !old.includes(pid)), "the old workers are gone");
  });

  for (const [what, happen] of ENDS.slice(0, 2)) {
    it(`b59: when ${what} a session keeps its sid: logout of it ends it, no other`, async () => {
      const { server } = box;
      const one = await Polling.open(server, "mia", { claims: { sid: "s1" } });
      const two = await Polling.open(server, "mia", { claims: { sid: "s2" } });
      await happen(server);
      for (const p of [one, two]) {
        await p.post('42/messaging,1["authenticate",{"token":"nonsense"}]');
        await p.until((t) => t.startsWith("43/messaging,1"));
      }
      await server.call(null, "POST", "/logout", undefined,
        { authorization: `Bearer ${server.token("mia", { sid: "s1" })}` });
      await one.until((t) => t === "41/messaging,");
      await two.post('42/messaging,2["authenticate",{"token":"nonsense"}]');
      await two.until((t) => t.startsWith("43/messaging,2"));
      assert.ok(!two.packets.includes("41/messaging,"));
    });

    it(`b59: when ${what} a session that has not connected yet keeps the header's token`, async () => {
      const { server } = box;
      const p = await Polling.open(server, null, { headers: { authorization: `Bearer ${server.token("mia")}` } });
      await happen(server);
      assert.equal(await p.post("40/messaging,"), 200);
      const text = await p.until((t) => t.startsWith('42/messaging,["connected"'));
      assert.equal(JSON.parse(text.slice(13))[1].userId, "mia");
    });

    it(`b59: when ${what} a session that was not told of its start yet is told then`, async () => {
      const { server } = box;
      const id = await server.group("ana", "mia");
      const first = await Polling.open(server, "mia");
      const hello = await server.said("ana", id, "hello");
      await first.until((t) => t.includes(hello.id));
      const pid = JSON.parse(first.packets.find((t) => t.startsWith("40")).slice(13)).pid;
      const offset = JSON.parse(first.packets.findLast((t) => t.includes(hello.id)).slice(13))[2];
      await first.post("1");

      await server.do("expect", { pattern: "exited on signal 9" });

      // only a sweep brings it, and sweeps are held up
      await server.sql(`select id from messaging.message_send('ana', '${id}', messaging.new_id(),
        'said elsewhere', 'TEXT', null, null, null, null, null, null)`);
      const held = server.sql(`do $$ begin
        lock table messaging.events in access exclusive mode; perform pg_sleep(2); end $$`);
      const p = await Polling.open(server, null);
      await p.post(`40/messaging,${JSON.stringify({ token: server.token("mia"), pid, offset })}`);
      await p.until((t) => t.startsWith("40/"));
      await happen({ workers: () => server.workers(), call: (...all) => server.call(...all),
        do: async (op, { pid: worker } = {}) => (op === "reload"
          ? process.kill(readFileSync(`${server.dir}/nginx.pid`, "utf8").trim(), "SIGHUP")
          : process.kill(worker, "SIGKILL")) });
      await held;
      const told = await p.until((t) => t.startsWith('42/messaging,["connected"'));
      assert.equal(JSON.parse(told.slice(13))[1].recovered, true);
      await p.until((t) => t.includes("said elsewhere"));
      assert.equal(p.packets.filter((t) => t.startsWith('42/messaging,["connected"')).length, 1);
      assert.equal(p.packets.filter((t) => t.startsWith("40/")).length, 1);
    });

    // who adopts a session joins it to everything again
    it(`b38: when ${what} a session keeps what it has left`, async () => {
      const { server } = box;
      const [kept, left] = [await server.group("ana", "mia"), await server.group("ana", "mia")];
      const p = await Polling.open(server, "mia");
      await p.post(`42/messaging,1["leave_conversation",{"conversationId":"${left}"}]`);
      await p.until((t) => t.startsWith("43/messaging,1"));
      await happen(server);
      const ana = await server.connected("ana");
      await p.post('42/messaging,2["authenticate",{"token":"nonsense"}]');
      await p.until((t) => t.startsWith("43/messaging,2"));
      ana.emit("typing_indicator", { conversationId: left });
      ana.emit("typing_indicator", { conversationId: kept });
      const last = await server.said("ana", left, "in the one she left");
      await p.until((t) => t.includes(last.id));
      const typing = p.packets.filter((t) => t.includes('["typing_indicator"'));
      assert.deepEqual(typing.map((t) => JSON.parse(t.slice(13))[1].conversationId), [kept]);
    });
  }

  it("b59: stock polling clients stay connected over a reload", async () => {
    const { server } = box;
    const id = await server.group("ana", "mia");
    const mia = await server.connected("mia", { transports: ["polling"] });
    let ends = 0;
    mia.on("disconnect", () => ends++);
    for (let i = 0; i < 2; i++) {
      const said = await says(server, "ana", id, 2, "around a reload");
      await reloaded(server);
      said.push(...await says(server, "ana", id, 2, "around a reload"));
      await mia.next("new_message", (m) => m.id === said[3].id);
    }
    assert.equal(ends, 0, "nobody is logged out");
    assert.deepEqual(mia.all("new_message").filter((m) => m.conversationId === id).map((m) => m.seq),
      [1, 2, 3, 4, 5, 6, 7, 8]);
    assert.equal(mia.all("connected").length, 1);
  });

  it("b18: on reload WebSockets are closed with 1012 and the clients are back", async () => {
    const { server } = box;
    const id = await server.group("ana", "mia");
    const mia = await server.connected("mia");
    const plain = server.plain("ana");
    await plain.next("connected");
    const closes = [];
    mia.on("disconnect", (reason, details) => closes.push([reason, details?.context?.code]));
    await reloaded(server);
    await until(() => closes.length > 0 && plain.code !== undefined, "closed");
    assert.equal(plain.code, 1012);
    assert.equal(closes[0][0], "transport close");
    if (closes[0][1] !== undefined) assert.equal(closes[0][1], 1012);
    const message = await server.said("ana", id, "after the reload of all");
    await mia.next("new_message", (m) => m.id === message.id);
    assert.equal(mia.all("connected").at(-1).recovered, true);
  });

  it("b59: an upgrade in progress loses and doubles nothing", async () => {
    const { server } = box;
    const id = await server.group("ana", "mia");

    for (let round = 0; round < 5; round++) {
      const mia = server.client("mia", { transports: ["polling", "websocket"] });
      let upgraded = false;
      mia.io.on("open", () => mia.io.engine.on("upgrade", () => { upgraded = true; }));
      await mia.next("connected");
      const said = await Promise.all(Array.from({ length: 20 }, (_, i) =>
        server.said("ana", id, `while it moves, ${round} ${i}`)));
      const last = Math.max(...said.map((m) => m.seq));
      await mia.next("new_message", (m) => m.seq === last);
      await until(() => upgraded || mia.io.engine.transport.name === "websocket", "upgraded");
      await server.settled(mia);
      const seqs = mia.all("new_message").filter((m) => m.conversationId === id).map((m) => m.seq);
      assert.deepEqual(seqs, Array.from({ length: 20 }, (_, i) => last - 19 + i));
      mia.disconnect();
    }
  });

  it("b18: an upgrade keeps what was joined and left", async () => {
    const { server } = box;
    const [kept, left] = [await server.group("ana", "mia"), await server.group("ana", "mia")];
    const p = await Polling.open(server, "mia");
    await p.post(`42/messaging,1["leave_conversation",{"conversationId":"${left}"}]`);
    await p.until((t) => t.startsWith("43/messaging,1"));
    const ws = await probing(server, p);
    const { texts } = ws;
    const pending = p.poll().catch(() => []);
    await pending;
    ws.send("5");
    const ana = await server.connected("ana");
    await until(async () => {
      ana.emit("typing_indicator", { conversationId: left });
      ana.emit("typing_indicator", { conversationId: kept });
      await sleep(50);
      return texts.some((t) => t.includes("typing_indicator") && t.includes(kept));
    }, "typing by WebSocket");
    const last = await server.said("ana", left, "in the one she left");
    await until(() => texts.some((t) => t.includes(last.id)), "the message comes");
    const typing = texts.filter((t) => t.includes('["typing_indicator"') && (t.includes(kept) || t.includes(left)));
    assert.ok(typing.length > 0 && typing.every((t) => t.includes(kept)));
  });

  it("b18: an upgrade while the workers change goes on or comes back, and misses nothing", async () => {
    const { server } = box;
    const id = await server.group("ana", "mia");
    const clients = Array.from({ length: 6 }, () => server.client("mia", { transports: ["polling", "websocket"] }));
    await clients[0].next("connected");
    const first = await server.said("ana", id, "as it begins to change");
    await server.do("reload");
    const said = await says(server, "ana", id, 5, "while it changes");
    for (const client of clients) {
      await client.next("new_message", (m) => m.id === said[4].id, 15000);
      await server.settled(client);
      const seqs = client.all("new_message").filter((m) => m.conversationId === id).map((m) => m.seq);
      assert.deepEqual(seqs, Array.from({ length: seqs.length }, (_, i) => 7 - seqs.length + i));
      assert.ok(client.all("connected").slice(1).every((c) => c.recovered));
    }
    assert.equal(first.seq, 1);
  });
});

// a stock client whose worker is killed between its `3probe` and its `5` polls
// no more and waits for a ping: they come often here
suite("Under load", { directives: "mentara_drain 300ms; mentara_ping interval=2s timeout=3s;\n" }, (box) => {
  // one message, for certain: what is unknown is asked again with its key
  async function surely(server, who, id, n) {
    return until(async () => {
      try {
        const { status, json } = await server.call(who, "POST", `/conversations/${id}/messages`,
          { content: `under load, number ${n}` }, { "Idempotency-Key": `load-${id}-${n}` });
        return status === 201 && json;
      } catch { return false; }
    }, `message ${n}`);
  }

  const harms = [
    ["workers are killed", (server) => {
      const now = server.workers();
      return server.do("kill", { pid: now[Math.floor(Math.random() * now.length)] });
    }],
    ["nginx is reloaded", (server) => server.do("reload")],
    ["the database drops its connections", (server) => server.sql(
      "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
      + " and backend_type = 'client backend'")],
  ];

  for (const [what, harm] of harms) {
    it(`b83: while ${what} everything comes to everyone once and in order`, async () => {
      const { server } = box;
      const id = await server.group("ana", "mia", "jun");
      const clients = [];
      for (const who of ["mia", "jun"]) {
        for (const transports of [["websocket"], ["polling"], ["polling", "websocket"]]) {
          clients.push(await server.connected(who, { transports }));
        }
      }
      let harmed = 0;
      const harming = (async () => {
        for (; harmed < 10; harmed++) {
          await harm(server).catch(() => {});
          await sleep(300);
        }
      })();
      let last, n = 0;
      while (harmed < 10 || n < 100) last = await surely(server, "ana", id, ++n);
      await harming;
      assert.equal(last.seq, n);
      for (const client of clients) {
        await client.next("new_message", (m) => m.id === last.id, 30000);
        const seqs = client.all("new_message").filter((m) => m.conversationId === id).map((m) => m.seq);
        assert.deepEqual(seqs, Array.from({ length: n }, (_, i) => i + 1),
          `${client.who} by ${client.io.opts.transports}`);
      }
    });
  }

  // for longer than a ping and its timeout take
  it("b59: stock polling clients stay connected over many reloads", async () => {
    const { server } = box;
    const id = await server.group("ana", "mia");
    const clients = await Promise.all(Array.from({ length: 8 },
      () => server.connected("mia", { transports: ["polling"] })));
    const ends = [];
    for (const client of clients) client.on("disconnect", (reason) => ends.push(reason));
    let n = 0, last;
    for (const end = Date.now() + 8000; Date.now() < end;) {
      await server.do("reload");
      for (let i = 0; i < 3; i++) last = await surely(server, "ana", id, ++n);
      await sleep(300);
    }
    for (const client of clients) {
      await client.next("new_message", (m) => m.id === last.id);
      assert.deepEqual(client.all("new_message").map((m) => m.seq), Array.from({ length: n }, (_, i) => i + 1));
    }
    assert.deepEqual(ends, []);
  });

  for (const [how, happen] of [["died", allKilled], ["was told to go at once", allTerminated]]) {
    it(`b37: who was lost with a worker that ${how} is offline after a while`, async () => {
      const { server } = box;
      await server.direct("rosa", "ben");
      const rosa = await server.connected("rosa");
      const ben = await server.connected("ben", { reconnection: false });
      await rosa.next("user_status_changed", (s) => s.userId === "ben" && s.status === "online");
      await happen(server);
      await until(() => !ben.connected, "ben is cut off");
      await until(() => rosa.all("connected").length === 2, "rosa is back");
      await until(() => rosa.all("user_status_changed").filter((s) => s.userId === "ben").at(-1)?.status
        === "offline", "ben is offline", 25000);
    });
  }
});

suite("The database away", { directives: "mentara_drain 500ms;\n" }, (box) => {
  it("b81: sockets stay, a send is told, a newcomer waits and comes in by itself", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const mia = await server.connected("mia");
    const polling = await server.connected("mia", { transports: ["polling"] });
    let ends = 0;
    for (const client of [mia, polling]) client.on("disconnect", () => ends++);
    await server.do("pg_stop", { mode: "immediate" });
    const answer = await mia.ask("send_message", { conversationId: id, content: "into the dark" });
    assert.ok(answer.success === false && answer.statusCode === 503 && answer.retryAfter >= 1,
      JSON.stringify(answer));
    const ana = server.client("ana");
    const early = server.client("ana", { transports: ["polling"] });
    let refusals = 0;
    for (const c of [ana, early]) c.on("connect_error", (error) => { if (error.data) refusals++; });
    const shake = await until(async () => {
      const answer = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`);
      return answer.status === 503 && answer;
    }, "a new handshake is 503");
    assert.ok(Number(shake.headers.get("retry-after")) >= 1);
    await sleep(1500);
    assert.deepEqual([ends, refusals], [0, 0]);
    assert.deepEqual(ana.all("connected"), []);
    await server.do("pg_start");
    await ana.next("connected", undefined, 20000);
    await early.next("connected", undefined, 20000);
    const message = await until(async () => {
      const { status, json } = await server.call("ana", "POST", `/conversations/${id}/messages`,
        { content: "it is light again" });
      return status === 201 && json;
    }, "a message");
    for (const client of [mia, polling]) await client.next("new_message", (m) => m.id === message.id);
    assert.deepEqual([ends, refusals], [0, 0]);
  });

  it("b81: a CONNECT that cannot be judged is closed after a while, never refused", async () => {
    const { server } = box;
    await server.do("pg_stop", { mode: "immediate" });
    await server.do("restart");
    // a worker that has just started lets clients in: they wait
    const early = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`);
    const { sid } = JSON.parse((await early.text()).slice(1));
    const url = `${server.url}/socket.io/?EIO=4&transport=polling&sid=${sid}`;
    await fetch(url, { method: "POST", body: `40/messaging,${JSON.stringify({ token: server.token("rosa") })}` });
    const since = Date.now();
    const answer = await (await fetch(url)).text();
    assert.equal(answer, "1", "closed, not refused");
    assert.ok(Date.now() - since > 3000 && Date.now() - since < 7000, `${Date.now() - since} ms`);

    const shake = (headers) => new Promise((resolve) => {
      const ws = new WebSocket(`${server.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`,
        { headers });
      ws.on("error", () => {});
      ws.on("open", () => { ws.terminate(); resolve({ statusCode: 101, headers: {} }); });
      ws.on("unexpected-response", (request, response) => { ws.terminate(); resolve(response); });
    });
    const response = await until(async () => {
      const got = await shake({});
      return got.statusCode === 503 && got;
    }, "a new handshake is 503");
    assert.ok(Number(response.headers["retry-after"]) >= 1);
    const plain = server.plain("rosa");
    await until(() => plain.status, "an answer");
    assert.equal(plain.status, 503);
    const rosa = server.client("rosa");
    let refusals = 0;
    rosa.on("connect_error", (error) => { if (error.data) refusals++; });
    await server.do("pg_start");
    await rosa.next("connected", undefined, 20000);
    assert.equal(refusals, 0);
  });
});
