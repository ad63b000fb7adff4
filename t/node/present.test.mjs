// Stock socket.io-client: presence and typing, what is so right now.

import assert from "node:assert/strict";
import { it } from "node:test";
import { away, back } from "./lib/away.mjs";
import { sleep, until } from "./lib/server.mjs";
import { suite } from "./lib/suite.mjs";

const NOWHERE = "01900000-0000-7000-8000-000000000000";
const same = (a, b) => assert.equal(JSON.stringify(a), JSON.stringify(b));
const own = ({ participants }, who) => participants.find((p) => p.userId === who);

// as behind a proxy that lets no WebSocket through
const BLOCKED = "location /blocked/ { if ($http_upgrade) { return 400; } mentara_socketio; }\n";

suite("Socket.IO: what is so right now", {
  directives: "mentara_typing_timeout 1s; mentara_presence_grace 1s;\n", locations: BLOCKED,
}, (box) => {
  const typed = (client, id) => client.all("typing_indicator").filter((t) => t.conversationId === id);

  it("b37: who went while the database was away is offline when it is back", async () => {
    const { server } = box;
    await server.direct("rosa", "sol");
    const rosa = await server.connected("rosa");
    const sol = await server.connected("sol", { reconnection: false });
    await rosa.next("user_status_changed", (s) => s.userId === "sol" && s.status === "online");
    await server.do("pg_stop", { mode: "immediate" });
    await until(async () => (await server.call(null, "GET", "/health")).status === 503, "it is missed");
    sol.disconnect();
    await sleep(3000);
    await server.do("pg_start");
    await rosa.next("user_status_changed", (s) => s.userId === "sol" && s.status === "offline", 15000);
  });

  it("who has left a conversation, or is blocked in a DIRECT, hears of no delivery there", async () => {
    const { server } = box;
    const id = await server.group("ana", "mia", "ben");
    const direct = await server.direct("jun", "ben");
    const [ana, mia, ben] = await Promise.all(["ana", "mia", "ben"].map((who) => server.connected(who)));
    await away(ben);
    await server.said("mia", id, "before she left");
    const before = await server.said("jun", direct, "before the block");
    assert.equal((await server.call("mia", "DELETE", `/conversations/${id}/participants/mia`)).status, 204);
    assert.equal((await server.call("ben", "POST", "/block", { userId: "jun" })).status, 201);
    const after = await server.said("ana", id, "after she left");
    back(ben);
    await ben.next("new_message", (m) => m.id === after.id);
    assert.ok(ben.all("new_message").some((m) => m.id === before.id));
    await ana.next("message_delivered", (d) => d.messageId === after.id && d.userId === "ben");
    await server.settled(mia);
    assert.deepEqual(mia.all("message_delivered").filter((d) => d.userId === "ben"), []);
    assert.deepEqual((await server.call("jun", "GET", `/messages/${before.id}`)).json.deliveredTo, []);
    await server.call("ben", "DELETE", "/block/jun");
  });

  for (const transports of [["websocket"], ["polling"]]) {
    it(`b36: typing is seen by the others, on all their devices, by ${transports}`, async () => {
      const { server } = box;
      const id = await server.direct("mia", "ana");
      const [mia, other] = [await server.connected("mia", { transports }), await server.connected("mia")];
      const ana = [await server.connected("ana", { transports }), await server.connected("ana")];
      const xeno = await server.connected("xeno");
      mia.emit("typing_indicator", { conversationId: id });

      for (const client of ana) {
        assert.deepEqual(await client.next("typing_indicator", (t) => t.conversationId === id, 2000),
          { conversationId: id, userId: "mia", isTyping: true });
      }
      mia.emit("typing_indicator", { conversationId: id, isTyping: false });
      for (const client of ana) await client.next("typing_indicator", (t) => !t.isTyping, 2000);
      ana[0].emit("typing_indicator", { conversationId: id, isTyping: true });
      await mia.next("typing_indicator", (t) => t.userId === "ana");
      await server.settled(mia, other, xeno);
      assert.deepEqual(typed(mia, id).filter((t) => t.userId === "mia"), [], "never to the sender");
      assert.deepEqual(typed(other, id).filter((t) => t.userId === "mia"), []);
      assert.deepEqual(typed(xeno, id), []);
    });
  }

  it("b13: typing that nobody ends is over after the timeout", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const mia = await server.connected("mia");
    const ana = await server.connected("ana");
    mia.emit("typing_indicator", { conversationId: id });
    await ana.next("typing_indicator", (t) => t.isTyping);
    const since = Date.now();
    await ana.next("typing_indicator", (t) => !t.isTyping, 3000);
    assert.ok(Date.now() - since > 800, "not before the timeout");
    await server.settled(ana);
    assert.deepEqual(typed(ana, id).map((t) => t.isTyping), [true, false]);
  });

  it("b13: typing of one whose connection was lost is over too", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const mia = await server.connected("mia", { reconnection: false });
    const ana = await server.connected("ana");
    mia.emit("typing_indicator", { conversationId: id });
    await ana.next("typing_indicator", (t) => t.isTyping);
    mia.io.engine.transport.ws.terminate();
    await ana.next("typing_indicator", (t) => !t.isTyping, 3000);
  });

  it("b64: a key held for 5 s is at most three starts and one stop", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const mia = await server.connected("mia");
    const ana = await server.connected("ana");
    const times = [];
    ana.on("typing_indicator", (t) => { if (t.isTyping) times.push(Date.now()); });

    for (let i = 0; i < 25; i++) {
      mia.emit("typing_indicator", { conversationId: id, isTyping: true });
      await sleep(200);
    }
    assert.equal((await mia.ask("typing_indicator", { conversationId: id, isTyping: false })).success, true);
    await ana.next("typing_indicator", (t) => !t.isTyping);
    assert.ok(times.length >= 2 && times.length <= 3, `${times.length} starts`);
    times.slice(1).forEach((time, i) => assert.ok(time - times[i] > 1800, "2 s between them"));
    assert.deepEqual(typed(ana, id).map((t) => t.isTyping), [...times.map(() => true), false]);
  });

  it("b36: an outsider's typing is ignored, and refused where it asks", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const xeno = await server.connected("xeno");
    const ana = await server.connected("ana");
    xeno.emit("typing_indicator", { conversationId: id });
    const answer = await xeno.ask("typing_indicator", { conversationId: id });
    assert.deepEqual([answer.success, answer.statusCode, answer.code], [false, 404, "not_found"]);
    const unknown = await xeno.ask("typing_indicator", { conversationId: NOWHERE });
    same(unknown, answer);
    await server.settled(ana, xeno);
    assert.deepEqual(typed(ana, id), []);
    assert.deepEqual(xeno.all("error"), [], "without an ack it is silent");
  });

  it("b42: no typing and no status passes a block, either way, and both are back after it", async () => {
    const { server } = box;
    const id = await server.group("ana", "mia", "jun");
    await server.call("mia", "POST", "/block", { userId: "ana" });
    const [mia, ana, jun] = [await server.connected("mia"), await server.connected("ana"),
                             await server.connected("jun")];
    mia.emit("typing_indicator", { conversationId: id });
    ana.emit("typing_indicator", { conversationId: id });
    for (const who of ["mia", "ana"]) await jun.next("typing_indicator", (t) => t.userId === who);
    await server.settled(mia, ana);
    assert.deepEqual([...typed(mia, id), ...typed(ana, id)], []);
    assert.deepEqual(mia.all("user_status_changed").filter((s) => s.userId === "ana"), []);
    assert.deepEqual(ana.all("user_status_changed").filter((s) => s.userId === "mia"), []);

    await server.call("mia", "DELETE", "/block/ana");
    await until(async () => {
      mia.emit("typing_indicator", { conversationId: id, isTyping: false });
      mia.emit("typing_indicator", { conversationId: id });
      await sleep(100);
      return typed(ana, id).length > 0;
    }, "typing passes again", 3000);
  });

  it("b42: a block that is made takes effect on what is connected within 1 s", async () => {
    const { server } = box;
    const id = await server.direct("rosa", "ben");
    const rosa = await server.connected("rosa");
    const ben = await server.connected("ben");
    rosa.emit("typing_indicator", { conversationId: id });
    await ben.next("typing_indicator", (t) => t.isTyping);
    await server.call("ben", "POST", "/block", { userId: "rosa" });
    await sleep(1000);
    const before = typed(ben, id).length;
    rosa.emit("typing_indicator", { conversationId: id, isTyping: false });
    rosa.emit("typing_indicator", { conversationId: id });
    await rosa.ask("join_conversation", { conversationId: id });
    await server.settled(rosa, ben);
    assert.equal(typed(ben, id).filter((t) => t.isTyping).length, 1);
    assert.ok(typed(ben, id).length - before <= 0);
    assert.deepEqual(ben.all("user_joined_conversation"), []);
    await server.call("ben", "DELETE", "/block/rosa");
  });

  it("b37: the first device is one online, the last one's end one offline, a page reload none", async () => {
    const { server } = box;
    await server.direct("mia", "ana");
    const mia = await server.connected("mia");
    const xeno = await server.connected("xeno");
    const of = (client) => client.all("user_status_changed").filter((s) => s.userId === "ana")
      .map((s) => s.status);
    await until(() => of(mia).length === 0 || of(mia).at(-1) === "offline", "ana of before is gone", 3000);
    const start = of(mia).length;
    const said = () => of(mia).slice(start);
    const one = await server.connected("ana");
    await until(() => said().length === 1, "online");
    const two = await server.connected("ana", { transports: ["polling"] });
    one.disconnect();
    two.disconnect();
    const three = await server.connected("ana");
    await sleep(1300);
    await server.settled(mia);
    assert.deepEqual(said(), ["online"], "a reload is no change");
    const since = Date.now();
    three.disconnect();
    await until(() => said().length === 2, "offline", 5000);
    assert.ok(Date.now() - since > 900, "not before the grace");
    await server.settled(mia, xeno);
    assert.deepEqual(said(), ["online", "offline"]);
    assert.deepEqual(of(xeno), []);
  });

  it("b38: joining is answered and told to the others once, leaving when no device is joined", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const mia = await server.connected("mia");
    const one = await server.connected("ana");
    const two = await server.connected("ana");
    const told = (name) => mia.all(name).filter((e) => e.conversationId === id);

    one.emit("join_conversation", { conversationId: id });
    assert.deepEqual(await one.next("conversation_joined"), { conversationId: id });
    await mia.next("user_joined_conversation");
    assert.equal((await two.ask("join_conversation", { conversationId: id })).success, true);
    assert.equal((await one.ask("join_conversation", { conversationId: id })).success, true);
    await server.settled(mia, one, two);
    assert.deepEqual(told("user_joined_conversation"), [{ conversationId: id, userId: "ana" }]);
    assert.equal(one.all("user_joined_conversation").length + two.all("user_joined_conversation").length, 0);

    assert.equal((await one.ask("leave_conversation", { conversationId: id })).success, true);
    assert.deepEqual(one.all("conversation_left"), [{ conversationId: id }]);
    await server.settled(mia);
    assert.deepEqual(told("user_left_conversation"), [], "the other device is still joined");
    two.emit("leave_conversation", { conversationId: id });
    await two.next("conversation_left");
    assert.deepEqual(await mia.next("user_left_conversation"), { conversationId: id, userId: "ana" });
    await server.settled(mia, one, two);
    assert.equal(told("user_left_conversation").length, 1);
    assert.equal(one.all("user_left_conversation").length, 0);
  });

  it("b38: who was offline and opens a conversation again is told again", async () => {
    const { server } = box;
    const id = await server.direct("jun", "ben");
    const jun = await server.connected("jun");
    const told = () => jun.all("user_joined_conversation").filter((e) => e.userId === "ben").length;
    const one = await server.connected("ben");
    await one.ask("join_conversation", { conversationId: id });
    await until(() => told() === 1, "joined");
    one.disconnect();
    await jun.next("user_status_changed", (s) => s.userId === "ben" && s.status === "offline");
    const two = await server.connected("ben");
    await two.ask("join_conversation", { conversationId: id });
    await until(() => told() === 2, "joined again");
  });

  it("b59: where no WebSocket passes all of it works by polling, within 2 s", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const options = { path: "/blocked/", transports: ["polling", "websocket"] };
    const mia = await server.connected("mia", options);
    const ana = await server.connected("ana", options);
    await ana.ask("typing_indicator", { conversationId: id, isTyping: false });
    ana.emit("typing_indicator", { conversationId: id });
    await mia.next("typing_indicator", (t) => t.isTyping, 2000);
    const { message } = await mia.ask("send_message", { conversationId: id, content: "by polling alone" });
    same(await ana.next("new_message", (m) => m.id === message.id, 2000), message);
    await ana.ask("message_read", { messageId: message.id });
    await mia.next("message_read", (r) => r.messageId === message.id, 2000);
    await mia.next("message_delivered", (d) => d.messageId === message.id, 3000);
    await server.call("ana", "POST", `/messages/${message.id}/reactions`, { emoji: "🎈" });
    await mia.next("message_reaction", (r) => r.messageId === message.id, 2000);
    await mia.ask("join_conversation", { conversationId: id });
    await ana.next("user_joined_conversation", (e) => e.userId === "mia", 2000);
    assert.deepEqual([mia, ana].map((c) => c.io.engine.transport.name), ["polling", "polling"]);
    assert.deepEqual([mia, ana].map((c) => c.all("connected").length), [1, 1]);
  });

  it("b38: leaving stops typing, not messages; joining again brings it back", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const mia = await server.connected("mia");
    const ana = await server.connected("ana");
    await ana.ask("leave_conversation", { conversationId: id });
    mia.emit("typing_indicator", { conversationId: id });
    const message = await server.said("mia", id, "comes although she left");
    await ana.next("new_message", (m) => m.id === message.id);
    await server.settled(ana);
    assert.deepEqual(typed(ana, id), []);

    await ana.ask("join_conversation", { conversationId: id });
    await mia.ask("typing_indicator", { conversationId: id, isTyping: false });
    await mia.ask("typing_indicator", { conversationId: id });
    await ana.next("typing_indicator", (t) => t.isTyping);
  });

  it("b38: leaving ends one's own typing", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const mia = await server.connected("mia");
    const ana = await server.connected("ana");
    await mia.ask("typing_indicator", { conversationId: id, isTyping: false });
    mia.emit("typing_indicator", { conversationId: id });
    await ana.next("typing_indicator", (t) => t.isTyping);
    await mia.ask("leave_conversation", { conversationId: id });
    await ana.next("typing_indicator", (t) => !t.isTyping, 700);
  });

  it("b38: a message that is sent ends nothing of the other's and own typing ends by itself", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const mia = await server.connected("mia");
    const ana = await server.connected("ana");
    mia.emit("typing_indicator", { conversationId: id });
    await mia.ask("send_message", { conversationId: id, content: "what was typed" });
    await ana.next("typing_indicator", (t) => !t.isTyping, 3000);
  });

  it("b38: an outsider's join is an error, and subscribes to nothing", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const xeno = await server.connected("xeno");
    const mia = await server.connected("mia");
    xeno.emit("join_conversation", { conversationId: id });
    const { event, code, message } = await xeno.next("error");
    assert.deepEqual([event, code, typeof message], ["join_conversation", "not_found", "string"]);
    const answer = await xeno.ask("join_conversation", { conversationId: id });
    assert.deepEqual([answer.success, answer.statusCode, answer.code], [false, 404, "not_found"]);
    same(await xeno.ask("join_conversation", { conversationId: NOWHERE }), answer);
    mia.emit("typing_indicator", { conversationId: id });
    await server.settled(xeno, mia);
    assert.deepEqual([typed(xeno, id), xeno.all("conversation_joined")], [[], []]);
    assert.equal(xeno.all("error").length, 1, "with an ack there is no event");
    assert.deepEqual(mia.all("user_joined_conversation"), []);
  });

  it("b60: the author is told that a message was delivered, nobody else", async () => {
    const { server } = box;
    const id = await server.direct("jun", "ana");
    const jun = [await server.connected("jun"), await server.connected("jun", { transports: ["polling"] })];
    const first = await server.said("jun", id, "before she is there");
    await server.settled(...jun);
    assert.deepEqual(jun[0].all("message_delivered").filter((d) => d.userId === "ana"), []);
    const ana = await server.connected("ana");
    const message = await server.said("jun", id, "while she is there");

    for (const client of jun) {
      const e = await client.next("message_delivered", (d) => d.messageId === message.id);
      assert.deepEqual([e.conversationId, e.userId], [id, "ana"]);
    }
    const get = (m) => server.call("jun", "GET", `/messages/${m.id}`);
    await until(async () => (await get(message)).json.deliveredTo.includes("ana"), "it is stored");
    assert.deepEqual((await get(first)).json.deliveredTo, ["ana"], "and all before it");
    await server.settled(ana);
    assert.deepEqual(ana.all("message_delivered").filter((d) => d.conversationId === id), []);
  });

  it("b60: twenty messages are at most one delivery a second, the last of which names the newest", async () => {
    const { server } = box;
    const id = await server.direct("rosa", "ana");
    const rosa = await server.connected("rosa");
    await server.connected("ana");
    const times = [];
    rosa.on("message_delivered", (d) => { if (d.conversationId === id) times.push(Date.now()); });
    let last;
    for (let i = 0; i < 20; i++) last = await server.said("rosa", id, `number ${i} of twenty`);
    await rosa.next("message_delivered", (d) => d.messageId === last.id);
    times.slice(1).forEach((time, i) => assert.ok(time - times[i] > 900, "one a second"));
  });

  it("b42: no delivery passes a block", async () => {
    const { server } = box;
    const id = await server.group("ana", "mia", "ben");
    await server.call("mia", "POST", "/block", { userId: "ana" });
    const ana = await server.connected("ana");
    await server.connected("mia");
    await server.connected("ben");
    const message = await server.said("ana", id, "to both of them at once");
    await ana.next("message_delivered", (d) => d.messageId === message.id && d.userId === "ben");
    await sleep(1200);
    assert.deepEqual(ana.all("message_delivered").filter((d) => d.conversationId === id && d.userId === "mia"), []);
    await server.call("mia", "DELETE", "/block/ana");
  });
});
