// Stock socket.io-client over both transports, with one worker and with four:
// connecting, every client event, bounds.  The events of the server are in
// durable.test.mjs and present.test.mjs, what survives a lost connection in
// recovery.test.mjs.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { it } from "node:test";
import { io } from "socket.io-client";
import WebSocket from "ws";
import { CONTINUATION, frame, packet, Raw, rawio, TEXT, text } from "./lib/raw.mjs";
import { answer, sleep, until } from "./lib/server.mjs";
import { suite } from "./lib/suite.mjs";

const TRANSPORTS = [["websocket"], ["polling"], ["polling", "websocket"]];
const NOWHERE = "01900000-0000-7000-8000-000000000000";
const same = (a, b) => assert.equal(JSON.stringify(a), JSON.stringify(b));
const own = ({ participants }, who) => participants.find((p) => p.userId === who);

// Engine.IO by hand over a WebSocket: frames are texts
async function raw(server, { headers = {} } = {}) {
  const ws = new WebSocket(
    `${server.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`, { headers });

  ws.texts = [];
  ws.on("message", (data) => ws.texts.push(String(data)));
  ws.on("error", () => {});
  ws.on("close", (code) => { ws.code = code; });
  ws.until = (start) => until(() => ws.texts.find((text) => text.startsWith(start)), start);
  server.sockets.push(ws);
  await ws.until("0");
  return ws;
}

// what a stock client is told when it may not connect
function refused(client) {
  return new Promise((resolve, reject) => {
    client.on("connect_error", resolve);
    client.on("connect", () => reject(new Error("it has connected")));
  });
}

function left(client) {
  return new Promise((resolve) => client.on("disconnect", resolve));
}

const forged = (server, claims) => {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "HS256" })}.${part({ exp: 4e9, ...claims })}`;
  return `${text}.${createHmac("sha256", "not the key").update(text).digest("base64url")}`;
};

suite("Socket.IO: connecting", {}, (box) => {
  for (const transports of TRANSPORTS) {
    const by = transports.join(" and ");

    it(`b18: connects by ${by} and hears of a message`, async () => {
      const { server } = box;
      const id = await server.direct("mia", "ana");
      const ana = await server.connected("ana", { transports });
      const message = await server.said("mia", id, "by REST to a socket");
      const heard = await ana.next("new_message", (m) => m.id === message.id);
      assert.equal(JSON.stringify(heard), message.text);
      assert.equal(ana.recovered, false);
    });

    it(`b18: a token in Authorization connects by ${by}`, async () => {
      const { server } = box;
      const mia = server.client(null, { transports,
        extraHeaders: { authorization: `Bearer ${server.token("mia")}` } });
      const { userId, recovered, user } = await mia.next("connected");
      assert.deepEqual([userId, recovered, user.firstName], ["mia", false, "Mia"]);
    });

    it(`b18: a page of the same origin connects by its cookie, ${by}`, async () => {
      const { server } = box;
      const mia = server.client(null, { transports, extraHeaders: {
        cookie: `a=b; __session=${server.token("mia")}`, origin: server.url } });
      assert.equal((await mia.next("connected")).userId, "mia");
    });

    it(`b18: without an Origin the cookie does not count, ${by}`, async () => {
      const { server } = box;
      const error = await refused(server.client(null, { transports,
        extraHeaders: { cookie: `__session=${server.token("mia")}` } }));
      assert.deepEqual(error.data, { statusCode: 401, code: "token_missing" });
    });

    it(`b16: a bad token, or none, is refused for good, ${by}`, async () => {
      const { server } = box;
      const cases = [
        [undefined, 401, "token_missing"],
        ["", 401, "token_invalid"],
        ["nonsense", 401, "token_invalid"],
        [{ not: "text" }, 401, "token_invalid"],
        [forged(server, { sub: "mia" }), 401, "token_invalid"],
        [`${server.token("mia")}x`, 401, "token_invalid"],
        [server.token("mia", { exp: Math.floor(Date.now() / 1000) - 60 }), 401, "token_expired"],
        [server.token("nobody"), 403, "user_inactive"],
      ];

      for (const [token, statusCode, code] of cases) {
        const client = server.client(null, { transports, auth: { token } });
        const error = await refused(client);
        assert.deepEqual(error.data, { statusCode, code });
        assert.equal(typeof error.message, "string");
        assert.equal(client.active, false, "a stock client stays away");
      }
    });

    it(`b18: what the page itself passes counts before the header, ${by}`, async () => {
      const { server } = box;
      const bad = { authorization: "Bearer nonsense" };
      const good = { authorization: `Bearer ${server.token("mia")}` };
      const mia = server.client("mia", { transports, extraHeaders: bad });
      assert.equal((await mia.next("connected")).userId, "mia");
      const error = await refused(server.client(null, { transports,
        auth: { token: "nonsense" }, extraHeaders: good }));
      assert.equal(error.data.code, "token_invalid");
      const other = await refused(server.client(null, { transports, extraHeaders: bad }));
      assert.equal(other.data.code, "token_invalid", "a bad header is not passed over");
    });

    it(`b18: a foreign page does not connect, whatever it brings, ${by}`, async () => {
      const { server } = box;

      for (const who of ["mia", null]) {
        const client = server.client(who, { transports, reconnection: false,
          extraHeaders: { origin: "https://evil.example",
                          cookie: `__session=${server.token("mia")}` } });
        const error = await refused(client);
        assert.equal(error.data, undefined);
        assert.deepEqual(client.events, []);
      }
    });

    it(`b58: another namespace does not exist, by ${by}`, async () => {
      const { server } = box;

      for (const name of ["/other", "/", "/messaging/more"]) {
        const client = server.heard(io(`${server.url}${name}`, { forceNew: true,
          transports, auth: { token: server.token("mia") } }));
        const error = await refused(client);
        assert.equal(error.message, "Invalid namespace");
        assert.equal(client.active, false);
        assert.deepEqual(client.events, []);
      }
    });
  }

  it("b18: a foreign Origin is 403 before anything else", async () => {
    const { server } = box;
    const headers = { origin: "https://evil.example" };
    const answer = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, { headers });
    assert.equal(answer.status, 403);
    const ws = new WebSocket(`${server.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`,
      { headers });
    const [, response] = await new Promise((resolve) => {
      ws.on("error", () => {});
      ws.on("unexpected-response", (...args) => resolve(args));
    });
    assert.equal(response.statusCode, 403);
    ws.terminate();
  });

  it("b18: after a refusal the same transport may try another token", async () => {
    const { server } = box;
    const ws = await raw(server);
    ws.send('40/messaging,{"token":"nonsense"}');
    const text = await ws.until("44/messaging,");
    assert.deepEqual(JSON.parse(text.slice(13)).data, { statusCode: 401, code: "token_invalid" });
    ws.send(`40/messaging,${JSON.stringify({ token: server.token("nobody") })}`);
    await until(() => ws.texts.filter((t) => t.startsWith("44")).length === 2, "a second refusal");
    ws.send("40/other,");
    assert.equal(await ws.until("44/other,"), '44/other,{"message":"Invalid namespace"}');
    ws.send(`40/messaging,${JSON.stringify({ token: server.token("mia") })}`);
    const { sid, pid } = JSON.parse((await ws.until("40/messaging,")).slice(13));
    assert.equal(typeof sid + typeof pid, "stringstring");
    await ws.until('42/messaging,["connected",');
  });

  it("b71: who was deactivated is 403, and connects once active again", async () => {
    const { server } = box;
    await server.sql("update messaging.people set is_active = false where id = 'rosa'");
    await until(async () => (await server.call("rosa", "GET", "/me")).status === 403, "403");
    const error = await refused(server.client("rosa"));
    assert.deepEqual(error.data, { statusCode: 403, code: "user_inactive" });
    await server.sql("update messaging.people set is_active = true where id = 'rosa'");
    await until(async () => {
      const rosa = server.client("rosa");
      return await Promise.race([rosa.next("connected"), refused(rosa).then(() => false, () => true)]);
    }, "rosa connects");
  });

  it("b37: connected comes first, then each contact that is online, once", async () => {
    const { server } = box;
    await server.direct("jun", "ana");
    await server.direct("jun", "ben");
    await server.connected("ana");
    await server.connected("ana");
    await server.connected("ben");
    await server.connected("xeno");
    const jun = await server.connected("jun");
    await server.settled(jun);
    assert.equal(jun.events[0].event, "connected");
    assert.deepEqual(jun.all("user_status_changed").map((e) => [e.userId, e.status]).sort(),
      [["ana", "online"], ["ben", "online"]]);
  });

  it("b18: an event that is no JSON closes the connection", async () => {
    const { server } = box;

    for (const text of ["42/messaging,{}", "42/messaging,[]", '42/messaging,["typing_indicator",{]',
                        '42/messaging,["connect"]', "42/other,[\"x\",{}]"]) {
      const ws = await raw(server);
      ws.send(`40/messaging,${JSON.stringify({ token: server.token("mia") })}`);
      await ws.until('42/messaging,["connected",');
      ws.send(text);
      await until(() => ws.code !== undefined, `${text} closes`);
    }
  });

  it("b18: an event before CONNECT is not acted on and closes the connection", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const ws = await raw(server);
    ws.send(`42/messaging,["send_message",${JSON.stringify({ conversationId: id, content: "early" })}]`);
    await until(() => ws.code !== undefined, "it closes");
    const { json } = await server.call("mia", "GET", `/conversations/${id}/messages`);
    assert.equal(json.filter((m) => m.content === "early").length, 0);
  });
});

suite("Socket.IO: tokens that are no text", {}, (box) => {
  for (const token of ["\u0000", "\ud800"]) {
    it(`${JSON.stringify(token)} is refused, whoever the handshake names`, async () => {
      const { server } = box;
      const mia = server.client(null, { auth: { token }, reconnection: false,
        extraHeaders: { authorization: `Bearer ${server.token("mia")}` } });
      assert.deepEqual((await refused(mia)).data, { statusCode: 401, code: "token_invalid" });
    });
  }
});

suite("Socket.IO: what a client says", {}, (box) => {
  for (const transports of TRANSPORTS) {
    it(`b25: a message by socket is as one by REST, by ${transports.join(" and ")}`, async () => {
      const { server } = box;
      const id = await server.direct("mia", "ana");
      const mia = await server.connected("mia", { transports });
      const ana = await server.connected("ana", { transports });
      const clientId = `c-${transports.join("-")}-${server.url}`;
      const body = { conversationId: id, content: "sent by a socket 🙂", clientId };
      server.words.add(body.content);
      const { success, message } = await mia.ask("send_message", body);
      assert.equal(success, true);
      assert.deepEqual([message.content, message.senderId, message.clientId], [body.content, "mia", clientId]);

      for (const client of [mia, ana]) {
        same(await client.next("new_message", (m) => m.id === message.id), message);
      }
      const again = await mia.ask("send_message", body);
      assert.equal(again.message.id, message.id, "the same clientId is the same message");
      const other = await mia.ask("send_message", { ...body, content: "another text" });
      assert.deepEqual([other.statusCode, other.code], [400, "idempotency_key_reused"]);
      const rest = await server.call("mia", "POST", `/conversations/${id}/messages`,
        { content: body.content }, { "Idempotency-Key": clientId });
      assert.equal(rest.json.id, message.id, "by REST too");
      await server.settled(ana);
      assert.equal(ana.all("new_message").filter((m) => m.id === message.id).length, 1);
    });
  }

  it("b17: what REST refuses the socket refuses, in the same words", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const foreign = await server.direct("ben", "jun");
    const elsewhere = await server.said("jun", foreign, "of another conversation");
    const mia = await server.connected("mia");
    const bodies = [{}, { content: "" }, { content: " \n" }, { content: 7 }, { content: "x", more: 1 },
      { content: "x".repeat(10001) }, { content: "x", messageType: "IMAGE" },
      { content: "x", messageType: "SYSTEM" }, { content: "x", messageType: "NONE" },
      { content: "x", replyToId: elsewhere.id }, { content: "x", replyToId: "no id" },
      { content: "x", attachmentUrl: "https://evil.example/x" }, { content: "x", clientId: "" },
      { content: "x", clientId: "y".repeat(129) }];

    for (const body of bodies) {
      const rest = await server.call("mia", "POST", `/conversations/${id}/messages`, body);
      const answer = await mia.ask("send_message", { conversationId: id, ...body });
      const { statusCode, code, message } = rest.json;
      assert.ok(statusCode >= 400, JSON.stringify(body).slice(0, 80));
      assert.deepEqual(answer, { success: false, statusCode, code, message });
    }
    const rest = await server.call("mia", "POST", `/conversations/${foreign}/messages`, { content: "x" });
    const { statusCode, code, message } = rest.json;
    assert.equal(code, "forbidden");
    for (const conversationId of [foreign, NOWHERE]) {
      assert.deepEqual(await mia.ask("send_message", { conversationId, content: "x" }),
        { success: false, statusCode, code, message });
    }
    for (const conversationId of ["no id", 7, null, undefined]) {
      const answer = await mia.ask("send_message", { conversationId, content: "x" });
      assert.deepEqual([answer.success, answer.statusCode], [false, 400]);
    }
  });

  it("b36: nobody types for ever because a block came between, and nobody stops who never began", async () => {
    const { server } = box;
    const id = await server.group("ana", "mia", "jun");
    const [ana, mia, jun] = await Promise.all(["ana", "mia", "jun"].map((who) => server.connected(who)));
    const typing = (client, who) => client.all("typing_indicator")
      .filter((t) => t.conversationId === id && t.userId === who).map((t) => t.isTyping);
    const on = (client) => client.emitWithAck("typing_indicator", { conversationId: id });

    await Promise.all([on(ana), on(mia)]);
    await until(() => typing(mia, "ana").length + typing(ana, "mia").length === 2, "both are seen to type");
    await server.call("mia", "POST", "/block", { userId: "ana" });
    await until(() => typing(mia, "ana").length === 2 && typing(ana, "mia").length === 2, "both have stopped");
    await mia.next("user_blocked");
    await Promise.all([on(ana), on(mia)]);
    await until(() => typing(jun, "ana").length === 3 && typing(jun, "mia").length === 3, "others see it");
    await server.call("mia", "DELETE", "/block/ana");
    await until(() => typing(jun, "ana").length === 4 && typing(jun, "mia").length === 4, "and its end");
    await server.settled(ana, mia);
    for (const seen of [typing(mia, "ana"), typing(ana, "mia")]) assert.deepEqual(seen, [true, false]);
    assert.deepEqual(typing(jun, "ana"), [true, false, true, false]);
  });

  it("b42: across a block a message is refused as by REST", async () => {
    const { server } = box;
    const id = await server.direct("rosa", "ben");
    await server.call("ben", "POST", "/block", { userId: "rosa" });
    const rosa = await server.connected("rosa");
    const answer = await rosa.ask("send_message", { conversationId: id, content: "x" });
    assert.deepEqual([answer.statusCode, answer.code], [403, "cannot_contact"]);
    await server.call("ben", "DELETE", "/block/rosa");
  });

  it("b28: reading by socket is as by REST", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const mia = await server.connected("mia");
    const ana = await server.connected("ana");
    const message = await server.said("ana", id, "to be read by socket");
    const answer = await mia.ask("message_read", { messageId: message.id });
    assert.deepEqual([answer.success, answer.messageId, answer.userId], [true, message.id, "mia"]);
    const e = await ana.next("message_read", (r) => r.messageId === message.id);
    assert.equal(e.readAt, answer.readAt);
    const again = await server.call("mia", "POST", `/messages/${message.id}/read`);
    same(again.json, answer);
    const next = await server.said("ana", id, "and without an ack");
    mia.emit("message_read", { messageId: next.id });
    await ana.next("message_read", (r) => r.messageId === next.id);
    const foreign = await server.said("ben", await server.direct("ben", "jun"), "not hers to read");
    for (const messageId of [foreign.id, NOWHERE]) {
      const no = await mia.ask("message_read", { messageId });
      assert.deepEqual([no.success, no.statusCode, no.code], [false, 404, "not_found"]);
    }
  });

  it("b18: a failure without an ack is silent, but for a join and what is malformed", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const mia = await server.connected("mia");
    mia.emit("send_message", { conversationId: id, content: "" });
    mia.emit("send_message", { conversationId: NOWHERE, content: "x" });
    mia.emit("typing_indicator", { conversationId: NOWHERE });
    mia.emit("typing_indicator", { conversationId: "no id" });
    mia.emit("message_read", { messageId: NOWHERE });
    mia.emit("message_read", {});
    mia.emit("leave_conversation", { conversationId: NOWHERE });
    mia.emit("authenticate", { token: "nonsense" });
    await mia.ask("typing_indicator", { conversationId: id, isTyping: false });
    await server.settled(mia);
    assert.deepEqual(mia.all("error"), []);
    mia.emit("join_conversation", { conversationId: NOWHERE });
    mia.emit("join_conversation", { conversationId: "no id" });
    mia.emit("no_such_event", {});
    await until(() => mia.all("error").length === 3, "three errors");
    assert.deepEqual(mia.all("error").map((e) => [e.event, e.code]), [
      ["join_conversation", "not_found"], ["join_conversation", mia.all("error")[1].code],
      ["no_such_event", "malformed_event"]]);
    assert.equal(mia.connected, true);
  });

  it("b18: malformed events are told, and the connection goes on", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const mia = await server.connected("mia");
    const malformed = [["no_such_event", {}], ["connected", {}], ["send_message"], ["send_message", null],
      ["send_message", "text"], ["send_message", 7], ["send_message", [id]], ["typing_indicator", true],
      ["send_message", { conversationId: id, content: "a\u0000b" }],
      ["send_message", { conversationId: id, content: "a\ud800b" }],
      ["send_message", { conversationId: id, content: Buffer.from("binary") }],
      ["\ud800", {}], ["", {}]];

    for (const [name, ...data] of malformed) {
      const answer = await mia.ask(name, ...data);
      assert.deepEqual([answer.success, answer.statusCode, answer.code],
        [false, 400, "malformed_event"], JSON.stringify([name, ...data]));
    }
    assert.deepEqual(mia.all("error"), []);

    for (const [i, [name, ...data]] of malformed.entries()) {
      mia.emit(name, ...data);
      await until(() => mia.all("error").length === i + 1, `error for ${JSON.stringify(name)}`);
      assert.equal(mia.all("error")[i].code, "malformed_event");
    }
    assert.equal((await mia.ask("send_message", { conversationId: id, content: "still here" })).success, true);
  });

  it("b18: an answer that nobody asked for and an ack of any number are taken", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const ws = await raw(server);
    ws.send(`40/messaging,${JSON.stringify({ token: server.token("mia") })}`);
    await ws.until('42/messaging,["connected",');
    ws.send("43/messaging,7[{}]");
    const leave = JSON.stringify(["leave_conversation", { conversationId: id }]);
    ws.send(`42/messaging,0${leave}`);
    assert.equal(await ws.until("43/messaging,0["), '43/messaging,0[{"success":true}]');
    ws.send(`42/messaging,9007199254740991${leave}`);
    await ws.until("43/messaging,9007199254740991[");
  });

  it("b18: a client that disconnects hears nothing more and its transport may connect again", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const ws = await raw(server);
    const connect = `40/messaging,${JSON.stringify({ token: server.token("mia") })}`;
    ws.send(connect);
    await ws.until('42/messaging,["connected",');
    ws.send("41/messaging,");
    ws.send(connect);
    await until(() => ws.texts.filter((t) => t.startsWith('42/messaging,["connected",')).length === 2, "twice");
    const message = await server.said("ana", id, "once on this transport");
    await until(() => ws.texts.some((t) => t.includes(message.id)), "it comes");
    ws.send("41/messaging,");
    const ana = await server.connected("ana");
    await server.said("ana", id, "not on that one");
    await server.settled(ana);
    assert.equal(ws.texts.filter((t) => t.startsWith('42/messaging,["new_message"')).length, 1);
  });

  it("b16: authenticate takes the same person only", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const mia = await server.connected("mia");
    assert.deepEqual(await mia.ask("authenticate", { token: server.token("mia") }), { success: true });

    for (const [token, code] of [["nonsense", "token_invalid"], [forged(server, { sub: "mia" }), "token_invalid"],
      [server.token("mia", { exp: Math.floor(Date.now() / 1000) - 60 }), "token_expired"]]) {
      const answer = await mia.ask("authenticate", { token });
      assert.deepEqual([answer.success, answer.statusCode, answer.code], [false, 401, code]);
    }
    for (const data of [{}, { token: 7 }, { token: "" }]) {
      assert.equal((await mia.ask("authenticate", data)).success, false);
    }
    assert.equal((await mia.ask("send_message", { conversationId: id, content: "lives on" })).success, true);

    const gone = left(mia);
    const other = await mia.ask("authenticate", { token: server.token("ana") });
    assert.deepEqual([other.success, other.statusCode, other.code], [false, 403, "forbidden"]);
    assert.notEqual(await gone, "io client disconnect");
  });

  it("b16: authenticate takes the same sid only, if there was one", async () => {
    const { server } = box;

    for (const transports of [["websocket"], ["polling"]]) {
      const mia = server.client(null, { transports, reconnection: false,
        auth: { token: server.token("mia", { sid: "s1" }) } });
      await mia.next("connected");
      assert.equal((await mia.ask("authenticate", { token: server.token("mia", { sid: "s1" }) })).success, true);
      const gone = left(mia);
      const other = await mia.ask("authenticate", { token: server.token("mia", { sid: "s2" }) });
      assert.deepEqual([other.success, other.statusCode], [false, 403]);
      await gone;
    }
  });

  it("b16: logout ends the devices of its sid, for good, and no others", async () => {
    const { server } = box;
    const of = async (sid, transports) => {
      const client = server.client(null, { transports,
        auth: { token: server.token("mia", sid ? { sid } : {}) } });
      await client.next("connected");
      return Object.assign(client, { who: "mia" });
    };
    const gone = [await of("s1", ["websocket"]), await of("s1", ["polling"])];
    const stay = [await of("s2", ["websocket"]), await of(null, ["websocket"])];
    const ana = await server.connected("ana");
    const ends = gone.map(left);
    const { status } = await server.call(null, "POST", "/logout", undefined,
      { authorization: `Bearer ${server.token("mia", { sid: "s1" })}` });
    assert.equal(status, 204);
    assert.deepEqual(await Promise.all(ends), ["io server disconnect", "io server disconnect"]);
    for (const client of gone) assert.equal(client.active, false);
    await server.settled(...stay, ana);
    for (const client of [...stay, ana]) assert.equal(client.connected, true);

    const rest = stay.map(left);
    await server.call("mia", "POST", "/logout");
    assert.deepEqual(await Promise.all(rest), ["io server disconnect", "io server disconnect"]);
    assert.equal(ana.connected, true);
  });

  it("b71: who is deactivated is off within 1 s and stays away", async () => {
    const { server } = box;
    const clients = [await server.connected("jun"), await server.connected("jun", { transports: ["polling"] })];
    const ends = clients.map(left);
    const since = Date.now();
    await server.sql("update messaging.people set is_active = false where id = 'jun'");
    assert.deepEqual(await Promise.all(ends), ["io server disconnect", "io server disconnect"]);
    assert.ok(Date.now() - since < 1600, `${Date.now() - since} ms`);
    for (const client of clients) assert.equal(client.active, false);
    await server.sql("update messaging.people set is_active = true where id = 'jun'");
    await until(async () => (await server.call("jun", "GET", "/me")).status === 200, "jun is back");
  });

  it("b73: who becomes staff hears of claims within 1 s, and no more when it is over", async () => {
    const { server } = box;
    const ben = await server.connected("ben");
    const sol = await server.connected("sol");
    const claimed = async () => {
      const { json } = await server.call("rosa", "POST", "/conversations", { type: "SUPPORT" });
      await server.call("sol", "POST", `/conversations/${json.id}/claim`);
      await sol.next("conversation_updated", (c) => c.id === json.id);
      await server.settled(ben);
      await server.call("sol", "PATCH", `/conversations/${json.id}`, { isActive: false });
      return ben.all("conversation_updated").filter((c) => c.id === json.id).length > 0;
    };
    assert.equal(await claimed(), false);
    await server.sql("update messaging.people set role = 'moderator' where id = 'ben'");
    await sleep(1200);
    assert.equal(await claimed(), true);
    await server.sql("update messaging.people set role = 'therapist' where id = 'ben'");
    await sleep(1200);
    assert.equal(await claimed(), false);
  });
});

suite("Socket.IO: bounds", {
  directives: "mentara_user_sockets 2; mentara_socket_lifetime 3s;\n",
}, (box) => {
  for (const transports of [["websocket"], ["polling"]]) {
    it(`b18: at the end of its lifetime the client comes back by itself, by ${transports}`, async () => {
      const { server } = box;
      const id = await server.direct("mia", "ana");
      const mia = await server.connected("mia", { transports });
      const since = Date.now();
      const reason = await left(mia);
      assert.ok(["transport close", "transport error"].includes(reason), reason);
      assert.ok(Date.now() - since < 4500 && Date.now() - since > 1500, `${Date.now() - since} ms`);
      const message = await server.said("ana", id, "while it comes back");
      await mia.next("new_message", (m) => m.id === message.id);
      await until(() => mia.all("connected").length === 2, "it is connected again");
      assert.equal(mia.recovered, true);
      assert.equal(mia.all("connected")[1].recovered, true);
    });
  }

  it("b16: a socket outlives its short token", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const exp = Math.floor(Date.now() / 1000) + 1;
    const mia = server.client("mia", { auth: { token: server.token("mia", { exp }) } });
    await mia.next("connected");
    // the leeway is 5 s, but the lifetime is shorter: it is renewed meanwhile
    for (let i = 0; i < 8; i++) {
      assert.equal((await mia.ask("authenticate", { token: server.token("mia", { exp: exp + 1 + i }) })).success, true);
      await sleep(1000);
    }
    assert.equal((await mia.ask("send_message", { conversationId: id, content: "still here" })).success, true);
    assert.equal(mia.all("connected").length, 1);
  });

  it("b16: who authenticates in time stays connected; a bad token prolongs nothing", async () => {
    const { server } = box;
    const mia = await server.connected("mia");
    const ana = await server.connected("ana");
    let off = false;
    mia.on("disconnect", () => { off = true; });
    const gone = left(ana);

    for (let i = 0; i < 5; i++) {
      assert.equal((await mia.ask("authenticate", { token: server.token("mia") })).success, true);
      if (ana.connected && ana.all("connected").length === 1) {
        ana.emit("authenticate", { token: "nonsense" });
      }
      await sleep(1000);
    }
    assert.equal(off, false);
    await gone;
  });

  it("who has not said who it is holds 16 KiB at most, who has a whole maxPayload", async () => {
    const { server } = box;
    const open = async () => {
      const stranger = new Raw(server, null, { path: "/socket.io/", query: "?EIO=4&transport=websocket",
                                               parse: packet });
      await stranger.next(({ packet: p }) => p?.startsWith("0"));
      return stranger;
    };
    const [part, whole] = [await open(), await open()];
    part.send(frame(TEXT, Buffer.alloc(16000, "4"), { fin: false }), frame(CONTINUATION, Buffer.alloc(385, "4")));
    whole.send(text("4".repeat(16385)));
    assert.deepEqual([await part.closed(), await whole.closed()], [1009, 1009]);

    const mia = await rawio(server, "mia");
    mia.send(text(`42/messaging,1["typing_indicator",{"x":"${"y".repeat(900000)}"}]`));
    await mia.next(({ packet: p }) => p?.startsWith("43/messaging,1"));
  });

  it("who has not said who it is fills no zone: its polled session ends", async () => {
    const { server } = box;
    const url = `${server.url}/socket.io/?EIO=4&transport=polling`;
    const open = async () => JSON.parse((await answer(url)).text.slice(1)).sid;
    const [many, large, mia] = [await open(), await open(), await open()];
    await answer(`${url}&sid=${many}`, { method: "POST" }, Array(100).fill("40/x,").join("\x1e"));
    await until(async () => (await answer(`${url}&sid=${many}`)).status === 400, "its end");
    assert.equal((await answer(`${url}&sid=${large}`, { method: "POST" },
      `40/messaging,{"x":"${"y".repeat(17000)}"}`)).status, 503);

    const token = server.token("mia");
    const post = (body) => answer(`${url}&sid=${mia}`, { method: "POST" }, body);
    assert.equal((await post(`40/messaging,{"token":"${token}"}`)).text, "ok");
    await until(async () => (await answer(`${url}&sid=${mia}`)).text.includes('"connected"'), "connected");
    assert.equal((await post(`42/messaging,1["typing_indicator",{"x":"${"y".repeat(100000)}"}]`)).text, "ok");
    await until(async () => (await answer(`${url}&sid=${mia}`)).text.includes("43/messaging,1"), "its answer");
  });

  it("who upgrades before CONNECT holds 16 KiB until then, and a whole maxPayload after", async () => {
    const { server } = box;
    const url = `${server.url}/socket.io/?EIO=4&transport=polling`;
    const upgraded = async () => {
      const { sid } = JSON.parse((await answer(url)).text.slice(1));
      const socket = new Raw(server, null, { path: "/socket.io/",
        query: `?EIO=4&transport=websocket&sid=${sid}`, parse: packet });
      socket.send(text("2probe"));
      await socket.next(({ packet: p }) => p === "3probe");
      socket.send(text("5"));
      return socket;
    };
    const stranger = await upgraded();
    stranger.send(text(`4${"x".repeat(16384)}`));
    assert.equal(await stranger.closed(), 1009);

    const mia = await upgraded();
    mia.send(text(`40/messaging,{"token":"${server.token("mia")}"}`));
    await mia.next(({ event }) => event === "connected");
    mia.send(text(`42/messaging,1["typing_indicator",{"x":"${"y".repeat(100000)}"}]`));
    await mia.next(({ packet: p }) => p?.startsWith("43/messaging,1"));
  });

  it("b18: one too many is 429 where the handshake brings the token", async () => {
    const { server } = box;
    await server.connected("jun");
    await server.connected("jun");
    const headers = { authorization: `Bearer ${server.token("jun")}` };
    const polling = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, { headers });
    assert.equal(polling.status, 429);
    assert.ok(Number(polling.headers.get("retry-after")) >= 1);
    const ws = new WebSocket(`${server.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`,
      { headers });
    const [, response] = await new Promise((resolve) => {
      ws.on("error", () => {});
      ws.on("unexpected-response", (...args) => resolve(args));
    });
    assert.equal(response.statusCode, 429);
    assert.ok(Number(response.headers["retry-after"]) >= 1);
    ws.terminate();
  });
});

suite("Socket.IO: two sockets each", { directives: "mentara_user_sockets 2;\n" }, (box) => {
  for (const transports of [["websocket"], ["polling"]]) {
    it(`b18: one device too many waits until another has gone, by ${transports}`, async () => {
      const { server } = box;
      const one = await server.connected("ben", { transports });
      const two = await server.connected("ben", { transports });
      const three = server.client("ben", { transports });
      let refusals = 0;
      three.on("connect_error", (error) => { if (error.data) refusals++; });
      const closes = [];
      three.io.on("close", (reason) => closes.push(reason));
      await until(() => closes.length > 0, "the transport is closed");
      assert.equal(refusals, 0, "never a CONNECT_ERROR");
      assert.deepEqual([one.connected, two.connected], [true, true]);
      assert.deepEqual(three.all("connected"), []);
      one.disconnect();
      await three.next("connected");
      assert.equal(refusals, 0);
    });
  }

  it("b18: one too many after CONNECT waits for another to go, then its transport is closed", async () => {
    const { server } = box;
    const [one] = [await server.connected("rosa"), await server.connected("rosa")];
    const third = async () => {
      const socket = new Raw(server, null, { path: "/socket.io/", query: "?EIO=4&transport=websocket",
                                             parse: packet });
      await socket.next(({ packet: p }) => p?.startsWith("0"));
      socket.send(text(`40/messaging,${JSON.stringify({ token: server.token("rosa") })}`));
      return socket;
    };
    const [let_in, late] = [await third(), await third()];
    await sleep(500);
    assert.deepEqual([let_in, late].map((socket) => [socket.ended, socket.events.length]), [[false, 1], [false, 1]]);
    one.disconnect();
    const connected = () => [let_in, late].filter((socket) => socket.all("connected").length === 1);
    await until(() => connected().length === 1, "one is let in", 4000);
    const other = [let_in, late].find((socket) => !connected().includes(socket));
    assert.equal(await other.closed(), 1013);
    assert.equal(connected().length, 1);
  });
});

suite("Socket.IO: budgets", {
  limits: 1, directives: "mentara_limit send=6/10s connect=3/4s typing=4/10s;\n",
}, (box) => {
  it("b69: a budget is one for REST and sockets together, over all workers", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const mia = await server.connected("mia");
    const ana = await server.connected("ana");

    for (let i = 0; i < 3; i++) {
      await server.said("mia", id, `by REST, the ${i}. of six`);
      const answer = await mia.ask("send_message", { conversationId: id, content: "by socket" });
      assert.equal(answer.success, true);
    }
    const rest = await server.call("mia", "POST", `/conversations/${id}/messages`, { content: "x" });
    assert.deepEqual([rest.status, rest.json.code, rest.headers.get("ratelimit-remaining")],
      [429, "rate_limited", "0"]);
    const answer = await mia.ask("send_message", { conversationId: id, content: "x" });
    assert.deepEqual([answer.success, answer.statusCode, answer.code], [false, 429, "rate_limited"]);
    assert.ok(answer.retryAfter >= 1 && answer.retryAfter <= 10, `${answer.retryAfter}`);
    assert.equal(answer.message, rest.json.message);
    mia.emit("send_message", { conversationId: id, content: "x" });
    const other = await ana.ask("send_message", { conversationId: id, content: "not limited" });
    assert.equal(other.success, true);
    await mia.next("new_message", (m) => m.id === other.message.id);
    assert.deepEqual(mia.all("error"), []);
    assert.equal(ana.all("new_message").filter((m) => m.senderId === "mia").length, 6);
  });

  it("b69: typing has a budget of its own", async () => {
    const { server } = box;
    const id = await server.direct("jun", "ben");
    const jun = await server.connected("jun");
    const answers = [];
    for (let i = 0; i < 5; i++) answers.push(await jun.ask("typing_indicator", { conversationId: id }));
    assert.deepEqual(answers.map((a) => a.success), [true, true, true, true, false]);
    assert.ok(answers[4].code === "rate_limited" && answers[4].retryAfter >= 1);
  });

  it("b69: who connects too often waits, is never refused for good, and is let in", async () => {
    const { server } = box;
    for (let i = 0; i < 3; i++) (await server.connected("rosa")).disconnect();
    const headers = { authorization: `Bearer ${server.token("rosa")}` };
    const answer = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, { headers });
    assert.equal(answer.status, 429);
    assert.ok(Number(answer.headers.get("retry-after")) >= 1);
    for (const name of ["limit", "remaining", "reset"]) {
      assert.match(answer.headers.get(`ratelimit-${name}`), /^\d+$/);
    }
    const rosa = server.client("rosa");
    let refusals = 0;
    rosa.on("connect_error", (error) => { if (error.data) refusals++; });
    await rosa.next("connected", undefined, 15000);
    assert.equal(refusals, 0);
  });
});
