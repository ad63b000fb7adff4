// The plain door: /messaging/ws, frame by frame, with one worker and with four.

import assert from "node:assert/strict";
import http2 from "node:http2";
import net from "node:net";
import { once } from "node:events";
import { after, afterEach, before, describe, it } from "node:test";
import { deflateRawSync } from "node:zlib";
import { faults } from "./events.mjs";
import { Server, sleep, until } from "./lib/server.mjs";
import { BINARY, CLOSE, CONTINUATION, PING, PONG, Raw, TEXT, closing, frame, raw,
         text } from "./lib/raw.mjs";

const NOWHERE = "00000000-0000-7000-8000-000000000000";

const door = (name, ...directives) =>
  `location = /${name}/ws { mentara_websocket; ${directives.join("; ")}; }\n`;

const LOCATIONS = door("query", "mentara_token_query on")
  + door("two", "mentara_user_sockets 2")
  + door("few", "mentara_limit connect=3/1m")
  + door("deflate", "mentara_deflate on")
  + door("ping", "mentara_ping interval=300ms timeout=300ms")
  + door("small", "mentara_max_payload 64k")
  + door("brief", "mentara_socket_lifetime 3s")
  + door("app", "mentara_origin https://app.example");

async function freePort() {
  const probe = net.createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

// the refusal of a handshake, in the one shape
async function refused(server, status, code, who, options) {
  const answer = await new Raw(server, who, options).answered();
  assert.equal(answer.status, status, answer.body);
  const { json } = answer;
  assert.equal(json.statusCode, status);
  assert.equal(json.code, code);
  assert.equal(typeof json.error, "string");
  assert.ok(json.message.length > 0);
  assert.ok(json.requestId.length > 0);
  assert.equal(answer.headers["x-request-id"], json.requestId);
  assert.match(answer.headers["content-type"], /^application\/json/);
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.equal(answer.headers["x-content-type-options"], "nosniff");
  return answer;
}

const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });
const past = () => Math.floor(Date.now() / 1000) - 60;

for (const workers of [1, 4]) {
  describe(`the plain door, ${workers} worker(s)`, { timeout: 120000 }, () => {
    let server, h2c, id;

    before(async () => {
      h2c = await freePort();
      server = await Server.start({ workers, locations: LOCATIONS,
        directives: "mentara_user_sockets 1000;",
        server: `listen 127.0.0.1:${h2c} http2;` });
      id = await server.direct("mia", "ana");
    });
    afterEach(() => { for (const socket of server.sockets.splice(0)) socket.close(); });
    after(async () => assert.deepEqual(await server.stop(), []));

    describe("refuses before the 101", () => {
      it("no token: 401", async () => {
        const { headers } = await refused(server, 401, "token_missing");
        assert.match(headers["www-authenticate"], /^Bearer/);
      });

      it("a bad token: 401", async () => {
        const forged = server.token("mia").replace(/.{8}$/, "AAAAAAAA");
        const { headers } = await refused(server, 401, "token_invalid", null,
                                          bearer(forged));
        assert.match(headers["www-authenticate"], /error="invalid_token"/);
        await refused(server, 401, "token_invalid", null, bearer("nonsense"));
        await refused(server, 401, "token_invalid", null,
                      { headers: { authorization: "Basic bWlhOm1pYQ==" } });
      });

      it("an expired token: 401", () => refused(server, 401, "token_expired", null,
        bearer(server.token("mia", { exp: past() }))));

      it("a user who is unknown: 403", () =>
        refused(server, 403, "user_inactive", "nobody"));

      it("a user who is inactive: 403", async () => {
        await server.sql("update messaging.people set is_active = false where id = 'xeno'");
        await until(async () => (await server.call("xeno", "GET", "/me")).status === 403,
                    "the deactivation");
        await refused(server, 403, "user_inactive", "xeno");
        await server.sql("update messaging.people set is_active = true where id = 'xeno'");
      });

      it("S4: a foreign Origin: 403, whatever the credential", async () => {
        for (const origin of ["https://evil.example", "null", "http://127.0.0.1:1",
                              `${server.url}.evil.example`, "http://127.0.0.1"]) {
          await refused(server, 403, "csrf", "mia", { headers: { origin } });
          await refused(server, 403, "csrf", null, { headers: { origin } });
          await refused(server, 403, "csrf", null, { headers: { origin,
            authorization: "Bearer nonsense" } });
          await refused(server, 403, "csrf", null, { headers: { origin,
            cookie: `__session=${server.token("mia")}` } });
          await refused(server, 403, "csrf", null, { upgrade: false, headers: { origin } });
        }
      });

      it("an Origin that is listed or the server's own: let in", async () => {
        await raw(server, "mia", { headers: { origin: server.url } });
        await raw(server, "mia", { path: "/app/ws",
                                   headers: { origin: "https://app.example" } });
        await refused(server, 403, "csrf", "mia",
          { path: "/app/ws", headers: { origin: "https://app.example.evil.example" } });
      });

      it("the cookie counts only with an Origin that is allowed", async () => {
        const cookie = `__session=${server.token("mia")}`;
        await refused(server, 401, "token_missing", null, { headers: { cookie } });
        const socket = await raw(server, null, { headers: { cookie, origin: server.url } });
        assert.equal(socket.all("connected")[0].userId, "mia");
      });

      it("a bad Bearer is not passed over for a good cookie", () =>
        refused(server, 401, "token_invalid", null, { headers: { origin: server.url,
          authorization: "Bearer nonsense", cookie: `__session=${server.token("mia")}` } }));

      it("a bad cookie beside a good Bearer is not looked at", () =>
        raw(server, "mia", { headers: { origin: server.url, cookie: "__session=nonsense" } }));

      it("?token= counts only with mentara_token_query on", async () => {
        const query = `?token=${server.token("mia")}`;
        await refused(server, 401, "token_missing", null, { query });
        await raw(server, null, { path: "/query/ws", query });
        await refused(server, 401, "token_invalid", null,
                      { path: "/query/ws", query: "?token=nonsense" });
      });

      it("one socket too many: 429 with Retry-After, and room again after one has gone",
        async () => {
          const path = "/two/ws";
          const first = await raw(server, "tess", { path });
          await raw(server, "tess", { path });
          const { headers } = await refused(server, 429, "rate_limited", "tess", { path });
          assert.ok(Number(headers["retry-after"]) >= 1);
          await raw(server, "sol", { path });
          first.close();
          await until(async () => (await new Raw(server, "tess", { path }).answered())
            .status === 101, "room for one more");
        });

      it("b69: mentara_limit connect: 429 with Retry-After, others unaffected", async () => {
        const path = "/few/ws";
        for (let i = 0; i < 3; i++) await raw(server, "kai", { path });
        const { headers } = await refused(server, 429, "rate_limited", "kai", { path });
        assert.ok(Number(headers["retry-after"]) >= 1);
        assert.ok(Number(headers["retry-after"]) <= 60);
        await raw(server, "ben", { path });
      });

      it("a GET that asks for no upgrade: 400 that says what to do", async () => {
        const { json } = await refused(server, 400, "validation_failed", "mia",
                                       { upgrade: false });
        assert.match(JSON.stringify(json.message), /[Ww]eb[Ss]ocket/);
      });

      it("S11: HTTP/1.0, POST, a missing or short key, a body: an error, never a 101",
        async () => {
          const tries = [
            [{ version: "1.0" }, 400],
            [{ method: "POST" }, 405],
            [{ headers: { "sec-websocket-key": undefined } }, 400],
            [{ headers: { "sec-websocket-key": "c2hvcnQ=" } }, 400],
            [{ headers: { "content-length": "5" } }, 400],
            [{ headers: { upgrade: "h2c" } }, 400],
            [{ headers: { connection: "close" } }, 400],
          ];

          for (const [options, status] of tries) {
            const answer = await new Raw(server, "mia", options).answered();
            assert.equal(answer.status, status, JSON.stringify(options));
            assert.equal(answer.json.statusCode, status);
            assert.equal(answer.headers["cache-control"], "no-store");
            if (status === 405) assert.equal(answer.headers.allow, "GET");
          }
        });

      it("S11: another version: 426 that names 13", async () => {
        for (const version of ["8", "14", "x", undefined]) {
          const answer = await new Raw(server, "mia",
            { headers: { "sec-websocket-version": version } }).answered();
          assert.equal(answer.status, 426);
          assert.equal(answer.headers["sec-websocket-version"], "13");
          assert.equal(answer.json.statusCode, 426);
        }
      });

      it("HTTP/2 with prior knowledge: 400 that says what to do", async () => {
        const session = http2.connect(`http://127.0.0.1:${h2c}`);
        const stream = session.request({ ":path": "/messaging/ws",
          authorization: `Bearer ${server.token("mia")}` });
        const [head] = await once(stream, "response");
        let body = "";
        for await (const chunk of stream) body += chunk;
        assert.equal(head[":status"], 400);
        assert.equal(JSON.parse(body).code, "validation_failed");
        assert.match(body, /HTTP\/1\.1/);
        session.close();
      });

      it("HTTP/2 and a foreign Origin: 403", async () => {
        const session = http2.connect(`http://127.0.0.1:${h2c}`);
        const stream = session.request({ ":path": "/messaging/ws",
          origin: "https://evil.example" });
        const [head] = await once(stream, "response");
        stream.resume();
        assert.equal(head[":status"], 403);
        session.close();
      });
    });

    describe("answers events", () => {
      it("opens with the right key, `connected` with an offset, and all is described",
        async () => {
          const socket = await raw(server, "mia");
          assert.ok(socket.accepted());
          const connected = await socket.next("connected");
          assert.deepEqual(Object.keys(connected).sort(), ["data", "event", "offset"]);
          assert.equal(connected.data.userId, "mia");
          assert.equal(connected.data.recovered, false);
          assert.equal(connected.data.user.id, "mia");
          assert.deepEqual(faults("ephemeral", "connected", connected.data), []);
          assert.ok(connected.offset.length > 0);
          assert.ok(socket.frames.every(({ fin, rsv, masked }) =>
            fin === 1 && rsv === 0 && masked === 0));
        });

      it("frames sent together with the handshake are answered after it", async () => {
        const socket = new Raw(server, "mia");
        socket.say("join_conversation", { conversationId: id }, 7);
        await socket.next(({ ack }) => ack === 7);
        const names = socket.events.map(({ event, ack }) => event ?? ack);
        assert.ok(names.indexOf("connected") < names.indexOf(7), names.join());
      });

      it("a message is heard by all devices, byte by byte as REST answered it", async () => {
        const sockets = await Promise.all(["mia", "mia", "ana"].map((who) => raw(server, who)));
        const message = await server.said("mia", id, "for every device of hers");
        for (const socket of sockets) {
          const frame = await socket.next(({ data }) => data?.id === message.id);
          assert.equal(frame.event, "new_message");
          assert.equal(JSON.stringify(frame.data), message.text);
          assert.ok(typeof frame.offset === "string" && frame.offset.length > 0);
          assert.deepEqual(Object.keys(frame), ["event", "data", "offset"]);
          assert.deepEqual(faults("durable", "new_message", frame.data), []);
        }
      });

      it("send_message is acknowledged with the message and heard by the other", async () => {
        const mia = await raw(server, "mia");
        const ana = await raw(server, "ana");
        const answer = await mia.ask("send_message",
          { conversationId: id, content: "said by the plain door", clientId: `c${workers}` }, 3);
        assert.equal(answer.success, true);
        assert.equal(answer.message.content, "said by the plain door");
        assert.equal(answer.message.clientId, `c${workers}`);
        const heard = await ana.next(({ data }) => data?.id === answer.message.id);
        assert.deepEqual(heard.data, answer.message);
        await mia.next(({ event, data }) => event === "new_message"
          && data.id === answer.message.id);

        const again = await mia.ask("send_message",
          { conversationId: id, content: "said by the plain door", clientId: `c${workers}` }, 4);
        assert.equal(again.message.id, answer.message.id);
        server.words.add("said by the plain door");
      });

      it("message_read is acknowledged as REST answers and told", async () => {
        const [mia, ana] = await Promise.all([raw(server, "mia"), raw(server, "ana")]);
        const message = await server.said("mia", id, "to be read by Ana");
        const answer = await ana.ask("message_read", { messageId: message.id }, 1);
        assert.equal(answer.success, true);
        assert.equal(answer.messageId, message.id);
        const { data } = await mia.next(({ event, data: d }) => event === "message_read"
          && d.messageId === message.id);
        assert.equal(data.userId, "ana");
      });

      for (const n of [0, 1, -1, -9007199254740991, 9007199254740991, 2147483648]) {
        it(`id ${n} comes back in the ack`, async () => {
          const socket = await raw(server, "mia");
          socket.send(text(`{"event":"join_conversation","data":{"conversationId":"${id}"},"id":${n}}`));
          const { data, ...rest } = await socket.next(({ ack }) => ack === n);
          assert.deepEqual(data, { success: true });
          assert.deepEqual(rest, { ack: n });
        });
      }

      it("the members of a frame may come in any order, with others beside", async () => {
        const socket = await raw(server, "mia");
        socket.send(text(` {"more":[1],"id":5, "data":{"conversationId":"${id}"},\n"event":"join_conversation"}\t`));
        assert.deepEqual((await socket.next(({ ack }) => ack === 5)).data, { success: true });
      });

      it("a key that comes twice is refused, whichever of the two was meant", async () => {
        const socket = await raw(server, "mia");
        const said = `"conversationId":"${id}"`;
        for (const [n, data] of [[1, `{${said},"content":"one","content":"two"}`],
                                 [2, `{${said},"content":"one"},"data":{${said},"content":"two"}`]]) {
          socket.send(text(`{"event":"send_message","id":${n},"data":${data}}`));
          const answer = (await socket.next(({ ack }) => ack === n)).data;
          assert.deepEqual([answer.statusCode, answer.code], [400, "malformed_event"]);
          assert.match(JSON.stringify(answer.message), /twice/);
        }
        await socket.ask("join_conversation", { conversationId: id }, 3);
        assert.equal(socket.all("new_message").length, 0);
      });

      it("who brings no token learns nothing else: 401, whatever is asked", async () => {
        for (const options of [{ upgrade: false }, { method: "POST", upgrade: false }, { version: "1.0" }]) {
          await refused(server, 401, "token_missing", null, options);
        }
      });

      for (const [what, id_] of [["a fraction", "1.5"], ["a real", "1.0"], ["a string", '"1"'],
                                 ["null", "null"], ["true", "true"], ["an object", "{}"],
                                 ["too large", "99999999999999999999"]]) {
        it(`an id that is ${what} is answered with error, and the socket lives on`, async () => {
          const socket = await raw(server, "mia");
          socket.send(text(`{"event":"join_conversation","data":{"conversationId":"${id}"},"id":${id_}}`));
          const { data } = await socket.next("error");
          assert.equal(data.code, "malformed_event");
          assert.deepEqual(faults("ephemeral", "error", data), []);
          assert.equal(socket.events.some(({ ack }) => ack !== undefined), false);
          assert.equal(socket.all("conversation_joined").length, 0);
          assert.equal((await socket.ask("join_conversation", { conversationId: id }, 2)).success,
                       true);
        });
      }

      for (const bad of ["", " ", "{", "nonsense", "[]", "null", "1", '"x"', "{}",
                         '{"data":{}}', '{"event":1}', '{"event":null,"data":{}}',
                         '{"event":{"a":1}}', '{"event":"join_conversation"}x',
                         '{"event":"join_conversation",}', "{'event':'x'}",
                         `${"[".repeat(5000)}${"]".repeat(5000)}`]) {
        it(`a frame that is no event is told of: ${bad.slice(0, 40)}`, async () => {
          const socket = await raw(server, "mia");
          socket.send(text(bad));
          const { data, offset } = await socket.next("error");
          assert.equal(data.code, "malformed_event");
          assert.equal(data.event, null);
          assert.ok(data.message.length > 0);
          assert.equal(offset, undefined);
          assert.equal((await socket.ask("join_conversation", { conversationId: id }, 0)).success,
                       true);
        });
      }

      for (const [what, event, data] of [
        ["an unknown event", "no_such_event", {}],
        ["an event of the server", "new_message", {}],
        ["data that is an array", "join_conversation", []],
        ["data that is a string", "join_conversation", "x"],
        ["no data", "join_conversation", undefined],
        ["data null", "typing_indicator", null],
      ]) {
        it(`${what}: malformed_event in the ack, error without one`, async () => {
          const socket = await raw(server, "mia");
          const answer = await socket.ask(event, data, 9);
          assert.equal(answer.success, false);
          assert.equal(answer.statusCode, 400);
          assert.equal(answer.code, "malformed_event");
          assert.equal(socket.all("error").length, 0);
          socket.say(event, data);
          const error = (await socket.next("error")).data;
          assert.equal(error.event, event);
          assert.equal(error.code, "malformed_event");
        });
      }

      for (const [what, value] of [["U+0000", "\\u0000"], ["half a pair", "\\ud800"],
                                   ["the other half", "\\udc00"],
                                   ["halves in the wrong order", "\\udc00\\ud800"],
                                   ["U+0000 after a backslash", "\\\\\\u0000"]]) {
        it(`${what} in a string: malformed_event with the id, and nothing is sent`, async () => {
          const socket = await raw(server, "mia");
          socket.send(text(`{"event":"send_message","data":{"conversationId":"${id}","content":"a${value}b"},"id":6}`));
          const { data } = await socket.next(({ ack }) => ack === 6);
          assert.equal(data.statusCode, 400);
          assert.equal(data.code, "malformed_event");
          socket.send(text(`{"event":"send_message","data":{"conversationId":"${id}","content":"a${value}b"}}`));
          const error = (await socket.next("error")).data;
          assert.deepEqual([error.event, error.code], ["send_message", "malformed_event"]);
          assert.equal(socket.all("new_message").length, 0);
        });
      }

      it("an escaped backslash before u0000 is text like any other", async () => {
        const socket = await raw(server, "mia");
        socket.send(text(`{"event":"send_message","data":{"conversationId":"${id}","content":"\\\\u0000 \\ud83d\\ude00"},"id":6}`));
        const { data } = await socket.next(({ ack }) => ack === 6);
        assert.equal(data.message?.content, "\\u0000 \u{1f600}");
      });

      it("failures without an id are silent but for a join", async () => {
        const socket = await raw(server, "mia");
        socket.say("leave_conversation", { conversationId: NOWHERE });
        socket.say("typing_indicator", { conversationId: NOWHERE });
        socket.say("message_read", { messageId: NOWHERE });
        socket.say("send_message", { conversationId: NOWHERE, content: "x" });
        socket.say("authenticate", { token: "nonsense" });
        socket.say("join_conversation", { conversationId: NOWHERE });
        const { data } = await socket.next("error");
        assert.equal(data.event, "join_conversation");
        await socket.ask("join_conversation", { conversationId: id }, 1);
        assert.equal(socket.all("error").length, 1);
      });

      it("acks come in the order of the events", async () => {
        const socket = await raw(server, "mia");
        for (let i = 0; i < 40; i++) {
          if (i % 2 === 0) {
            socket.say("send_message", { conversationId: id, content: `in order ${i}` }, i);
          } else {
            socket.say("join_conversation", { conversationId: id }, i);
          }
        }
        await socket.next(({ ack }) => ack === 39);
        const acks = socket.events.map(({ ack }) => ack).filter((ack) => ack !== undefined);
        assert.deepEqual(acks, Array.from({ length: 40 }, (_, i) => i));
      });

      it("authenticate renews: the socket outlives one that did not", async () => {
        const path = "/brief/ws";
        const plain = await raw(server, "mia", { path });
        const begun = Date.now();
        const renewed = await raw(server, "mia", { path });

        // the server counts in whole seconds
        for (let n = 0; !plain.ended; n++) {
          const bad = await renewed.ask("authenticate", { token: "nonsense" }, 2 * n);
          assert.deepEqual([bad.statusCode, bad.code], [401, "token_invalid"]);
          assert.deepEqual(await renewed.ask("authenticate",
            { token: server.token("mia") }, 2 * n + 1), { success: true });
          await until(() => plain.ended, "its end", 200).catch(() => {});
          assert.ok(Date.now() - begun < 8000);
        }

        assert.ok(Date.now() - begun >= 1900);
        assert.equal((await renewed.ask("join_conversation", { conversationId: id }, -1))
          .success, true);
      });

      it("authenticate with another person's token, or another sid: 403 and the end",
        async () => {
          const other = await raw(server, "mia");
          const answer = await other.ask("authenticate", { token: server.token("ana") }, 3);
          assert.deepEqual([answer.success, answer.statusCode], [false, 403]);
          await other.closed();

          const sid = await raw(server, null, bearer(server.token("mia", { sid: "s1" })));
          assert.equal((await sid.ask("authenticate",
            { token: server.token("mia", { sid: "s1" }) }, 1)).success, true);
          assert.equal((await sid.ask("authenticate",
            { token: server.token("mia", { sid: "s2" }) }, 2)).statusCode, 403);
          await sid.closed();
        });
    });

    describe("frames", () => {
      it("binary closes 1003", async () => {
        const socket = await raw(server, "mia");
        socket.send(frame(BINARY, "{}"));
        assert.equal(await socket.closed(), 1003);
      });

      it("over mentara_max_payload closes 1009, at it does not", async () => {
        const socket = await raw(server, "mia", { path: "/small/ws" });
        socket.send(text("x".repeat(65536)));
        await socket.next("error");
        socket.send(text("x".repeat(65537)));
        assert.equal(await socket.closed(), 1009);
      });

      it("fragments that sum to more than mentara_max_payload close 1009", async () => {
        const socket = await raw(server, "mia", { path: "/small/ws" });
        socket.send(text("x".repeat(40000), { fin: false }),
                    frame(CONTINUATION, "x".repeat(40000)));
        assert.equal(await socket.closed(), 1009);
      });

      it("invalid UTF-8 closes 1007, at once and in pieces", async () => {
        for (const octets of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80],
                              [0xe2, 0x82]]) {
          const socket = await raw(server, "mia");
          socket.send(text(Buffer.from(octets)));
          assert.equal(await socket.closed(), 1007);
        }

        const socket = await raw(server, "mia");
        socket.send(text(Buffer.from([0x22, 0xe2]), { fin: false }),
                    frame(CONTINUATION, Buffer.from([0x28]), { fin: false }));
        assert.equal(await socket.closed(), 1007);
      });

      it("a character cut in two by fragments is one character", async () => {
        const socket = await raw(server, "mia");
        const whole = Buffer.from(JSON.stringify({ event: "send_message", id: 1,
          data: { conversationId: id, content: "\u{1f600}\u00e9" } }));
        for (let cut = 1; cut < whole.length; cut++) {
          if (whole[cut] < 0x80) continue;
          socket.send(text(whole.subarray(0, cut), { fin: false }),
                      frame(PING, "between"), frame(CONTINUATION, whole.subarray(cut)));
        }
        await until(() => socket.events.filter(({ ack }) => ack === 1).length === 6
          || socket.ended, "all answers");
        assert.ok(socket.events.filter(({ ack }) => ack === 1)
          .every(({ data }) => data.message.content === "\u{1f600}\u00e9"));
      });

      it("unmasked closes 1002", async () => {
        const socket = await raw(server, "mia");
        socket.send(text({ event: "join_conversation", data: { conversationId: id } },
                         { mask: false }));
        assert.equal(await socket.closed(), 1002);
        assert.equal(socket.all("conversation_joined").length, 0);
      });

      it("fragments become one event, empty ones among them", async () => {
        const socket = await raw(server, "mia");
        const whole = JSON.stringify({ event: "join_conversation", id: 8,
                                       data: { conversationId: id } });
        socket.send(text("", { fin: false }),
                    ...[...whole].map((c) => frame(CONTINUATION, c, { fin: false })),
                    frame(CONTINUATION, ""));
        assert.deepEqual((await socket.next(({ ack }) => ack === 8)).data, { success: true });
      });

      it("a ping is answered with its own octets, a pong that nobody asked for is not",
        async () => {
          const socket = await raw(server, "mia");
          const octets = Buffer.alloc(125, 7);
          socket.send(frame(PONG, "unasked"), frame(PING, octets), frame(PING, ""));
          await until(() => socket.frames.filter(({ opcode }) => opcode === PONG).length === 2,
                      "two pongs");
          const pongs = socket.frames.filter(({ opcode }) => opcode === PONG);
          assert.deepEqual(pongs[0].payload, octets);
          assert.equal(pongs[1].payload.length, 0);
        });

      for (const code of [1000, 1001, 1011, 3000, 4999]) {
        it(`close ${code} is answered with ${code}, then the connection ends`, async () => {
          const socket = await raw(server, "mia", { answerClose: false });
          socket.send(closing(code, "bye"));
          assert.equal(await socket.closed(), code);
          assert.equal(socket.frames.at(-1).opcode, CLOSE);
        });
      }

      it("a close without a code is answered", async () => {
        const socket = await raw(server, "mia", { answerClose: false });
        socket.send(frame(CLOSE, ""));
        await socket.closed();
        assert.equal(socket.frames.at(-1).opcode, CLOSE);
      });

      for (const [what, octets] of [["1 octet", frame(CLOSE, "x")],
        ["code 999", closing(999)], ["code 1005", closing(1005)], ["code 1006", closing(1006)],
        ["code 5000", closing(5000)]]) {
        it(`a close with ${what} closes 1002`, async () => {
          const socket = await raw(server, "mia");
          socket.send(octets);
          assert.equal(await socket.closed(), 1002);
        });
      }

      it("what comes after the server's close counts as delivered to nobody", async () => {
        const mia = await raw(server, "mia");
        const ana = await raw(server, "ana", { answerClose: false });
        const first = await server.said("mia", id, "delivered to one who listens");
        await mia.next(({ event, data }) => event === "message_delivered"
          && data.messageId === first.id);
        ana.send(frame(BINARY, "x"));
        await until(() => ana.code === 1003, "the close");
        const second = await server.said("mia", id, "for one who is going");
        await mia.next(({ data }) => data?.id === second.id);

        // marks are stored at most once a second
        await sleep(1500);
        assert.deepEqual(await server.sql(`select delivered_seq from messaging.participants
          where user_id = 'ana' and conversation_id = '${id}'`), [[String(first.seq)]]);
        assert.equal(mia.all("message_delivered").some((d) => d.messageId === second.id), false);
      });

      it("after our close nothing more is answered", async () => {
        const socket = await raw(server, "mia", { answerClose: false });
        socket.send(closing(1000), text({ event: "join_conversation", id: 1,
                                          data: { conversationId: id } }));
        assert.equal(await socket.closed(), 1000);
        assert.equal(socket.events.some(({ ack }) => ack === 1), false);
      });
    });

    describe("mentara_ping", () => {
      it("a peer that answers stays, one that is dead goes and is counted offline", async () => {
        const path = "/ping/ws";
        const alive = await raw(server, "mia", { path });
        const dead = await raw(server, "ana", { path, pong: false });
        const begun = Date.now();
        assert.equal(await dead.closed(), undefined);
        assert.ok(Date.now() - begun < 3000);
        const pings = () => alive.frames.filter(({ opcode }) => opcode === PING).length;
        const had = pings();
        await until(() => pings() >= had + 3 || alive.ended, "three pings more");
        assert.equal(alive.ended, false);
        assert.deepEqual(await alive.ask("join_conversation", { conversationId: id }, 1),
                         { success: true });
      });

      it("a peer that stops in the middle of a frame goes too", async () => {
        const socket = await raw(server, "mia", { path: "/ping/ws", pong: false });
        socket.send(text({ event: "x" }).subarray(0, 5));
        await socket.closed(3000);
      });
    });

    describe("recovery by ?offset=", () => {
      it("what was missed comes once, before `connected`, which says recovered", async () => {
        const socket = await raw(server, "ana");
        const { offset } = await socket.next("connected");
        socket.close();
        const missed = [];
        for (let i = 0; i < 20; i++) missed.push((await server.said("mia", id, `missed ${i}`)).id);

        const back = await raw(server, "ana", { query: `?offset=${offset}` });
        assert.deepEqual(back.all("new_message").map((m) => m.id), missed);
        assert.equal(back.all("connected")[0].recovered, true);
        const names = back.events.map(({ event }) => event);
        assert.ok(names.lastIndexOf("new_message") < names.indexOf("connected"));

        const next = await server.said("mia", id, "and on it goes");
        await back.next(({ data }) => data?.id === next.id);
        assert.equal(back.all("new_message").filter((m) => m.id === missed[19]).length, 1);
      });

      it("from any event's offset on", async () => {
        const socket = await raw(server, "ana");
        const said = [];
        for (let i = 0; i < 6; i++) said.push((await server.said("mia", id, `one of six ${i}`)).id);
        await socket.next(({ data }) => data?.id === said[5]);
        socket.close();

        for (let i = 0; i < 6; i++) {
          const { offset } = socket.events.find(({ data }) => data?.id === said[i]);
          const back = await raw(server, "ana", { query: `?offset=${encodeURIComponent(offset)}` });
          assert.deepEqual(back.all("new_message").map((m) => m.id), said.slice(i + 1));
          assert.equal(back.all("connected")[0].recovered, true);
          back.close();
        }
      });

      it("another user's offset gives nothing that is not one's own", async () => {
        const socket = await raw(server, "mia");
        const { offset } = await socket.next("connected");
        await server.said("mia", id, "nothing for an outsider");
        const xeno = await raw(server, "xeno", { query: `?offset=${offset}` });
        assert.equal(xeno.all("new_message").length, 0);
      });

      for (const offset of ["nonsense", "", "0.0.0", "99999999.99999999.99999999", "%00",
                            "x".repeat(2000), "-1.-1.-1"]) {
        it(`an offset that is no offset: recovered false: ${offset.slice(0, 30)}`, async () => {
          const socket = await raw(server, "mia", { query: `?offset=${offset}` });
          assert.equal(socket.all("connected")[0].recovered, false);
          assert.equal(socket.all("new_message").length, 0);
        });
      }

      it("a message deleted meanwhile comes without its text", async () => {
        const socket = await raw(server, "ana");
        const { offset } = await socket.next("connected");
        socket.close();
        const message = await server.said("mia", id, "regretted at once");
        assert.equal((await server.call("mia", "DELETE", `/messages/${message.id}`)).status, 204);
        const back = await raw(server, "ana", { query: `?offset=${offset}` });
        assert.equal(JSON.stringify(back.events).includes("regretted"), false);
        assert.equal(back.all("new_message")[0].isDeleted, true);
      });
    });

    describe("permessage-deflate", () => {
      const offer = { headers: { "sec-websocket-extensions": "permessage-deflate" } };
      const deflated = (value) => frame(TEXT,
        deflateRawSync(JSON.stringify(value), { finishFlush: 2 }).subarray(0, -4), { rsv: 4 });

      it("off: the offer is not taken, a compressed frame closes 1002", async () => {
        const socket = await raw(server, "mia", offer);
        assert.equal(socket.headers["sec-websocket-extensions"], undefined);
        socket.send(deflated({ event: "join_conversation", data: { conversationId: id }, id: 1 }));
        assert.equal(await socket.closed(), 1002);
      });

      it("on: the offer is taken and events pass both ways", async () => {
        const socket = await raw(server, "mia", { path: "/deflate/ws", ...offer });
        assert.match(socket.headers["sec-websocket-extensions"], /^permessage-deflate/);
        const content = "the same words again and again; ".repeat(100);
        socket.send(deflated({ event: "send_message", id: 1,
                               data: { conversationId: id, content } }));
        const { data } = await socket.next(({ ack }) => ack === 1);
        assert.equal(data.message.content, content);
        socket.send(deflated({ event: "join_conversation", id: 2,
                               data: { conversationId: id } }));
        assert.deepEqual((await socket.next(({ ack }) => ack === 2)).data, { success: true });
        socket.say("join_conversation", { conversationId: id }, 3);
        await socket.next(({ ack }) => ack === 3);
        server.words.add(content);
      });

      it("on, but not offered: a compressed frame closes 1002", async () => {
        const socket = await raw(server, "mia", { path: "/deflate/ws" });
        assert.equal(socket.headers["sec-websocket-extensions"], undefined);
        socket.send(deflated({ event: "x" }));
        assert.equal(await socket.closed(), 1002);
      });

      it("ws with perMessageDeflate hears and is heard", async () => {
        const socket = server.plain("ana", { perMessageDeflate: true });
        await socket.next("connected");
        assert.equal(socket.extensions, "");
      });

      it("fragments of a compressed message", async () => {
        const socket = await raw(server, "mia", { path: "/deflate/ws", ...offer });
        const octets = deflateRawSync(JSON.stringify({ event: "join_conversation", id: 4,
          data: { conversationId: id } }), { finishFlush: 2 }).subarray(0, -4);
        socket.send(frame(TEXT, octets.subarray(0, 1), { rsv: 4, fin: false }),
          ...[...octets.subarray(1)].map((o) =>
            frame(CONTINUATION, Buffer.from([o]), { fin: false })),
          frame(CONTINUATION, ""));
        assert.deepEqual((await socket.next(({ ack }) => ack === 4)).data, { success: true });
      });
    });
  });
}

describe("the plain door without Postgres", { timeout: 60000 }, () => {
  let server;

  before(async () => { server = await Server.start({ workers: 2 }); });
  after(async () => assert.deepEqual(await server.stop(), []));

  it("b81: 503 with Retry-After, sockets stay, and all is well when it is back", async () => {
    const id = await server.direct("mia", "ana");
    const mia = await raw(server, "mia");
    await server.do("pg_stop");

    // a user who is known for 0.5 s may still come in and wait
    await until(async () => {
      const answer = await new Raw(server, "ben").answered();
      if (answer.status !== 503) return false;
      assert.equal(answer.json.code, "db_unavailable");
      assert.ok(Number(answer.headers["retry-after"]) >= 1);
      return true;
    }, "a 503");

    const failed = await mia.ask("send_message", { conversationId: id, content: "in vain" }, 1);
    assert.equal(failed.success, false);
    assert.equal(failed.statusCode, 503);
    assert.ok(failed.retryAfter >= 1);
    assert.equal(mia.ended, false);

    await server.do("pg_start");
    await until(async () => (await new Raw(server, "ben").answered()).status === 101,
                "a way in");
    const answer = await until(async () => {
      const n = mia.events.length + 10;
      const a = await mia.ask("send_message", { conversationId: id, content: "it is back" }, n);
      return a.success && a;
    }, "a message");
    await mia.next(({ event, data }) => event === "new_message"
      && data.id === answer.message.id);
  });

  it("who comes without a database waits up to 5 s, then is closed 1013", async () => {
    await raw(server, "mia");
    const socket = new Raw(server, "mia");
    await server.do("pg_stop");
    const late = [];
    for (let i = 0; i < 5; i++) late.push(new Raw(server, "mia"));

    for (const one of [socket, ...late]) {
      await one.answered();
      if (one.status === 503) continue;
      assert.equal(one.status, 101);
      await until(() => one.ended || one.events.length > 0, "an end or a beginning");
      if (one.events.length === 0) assert.equal(one.code, 1013);
    }

    await server.do("pg_start");
    await until(async () => (await new Raw(server, "mia").answered()).status === 101, "a way in");
  });
});

describe("the plain door at a reload", { timeout: 120000 }, () => {
  for (const workers of [1, 4]) {
    it(`${workers} worker(s): 1012, spread over mentara_drain, nothing before it, nothing lost`,
      async () => {
        const server = await Server.start({ workers,
          directives: "mentara_drain 2s; mentara_user_sockets 1000;" });
        const id = await server.direct("mia", "ana");
        const sockets = await Promise.all(Array.from({ length: 200 },
          (_, i) => raw(server, i % 2 ? "mia" : "ana")));
        const ends = [];
        const last = [];

        sockets.forEach((socket, i) => {
          socket.socket.on("close", () => { ends.push(Date.now()); });
          last[i] = socket.frames.length;
        });

        const said = [];
        said.push((await server.said("mia", id, "before the reload")).id);
        await Promise.all(sockets.map((s) => s.next(({ data }) => data?.id === said[0])));
        sockets.forEach((socket, i) => { last[i] = socket.frames.length; });

        await server.do("reload");
        await until(() => sockets.every(({ ended }) => ended), "all closed", 15000);
        assert.ok(sockets.every(({ code }) => code === 1012),
                  [...new Set(sockets.map(({ code }) => code))].join());
        ends.sort((a, b) => a - b);
        const spread = ends.at(-1) - ends[0];
        assert.ok(spread >= 1000 && spread <= 4000, `spread over ${spread} ms`);
        const half = ends.filter((at) => at < ends[0] + spread / 2).length;
        assert.ok(half > 40 && half < 160, `${half} of 200 in the first half`);

        sockets.forEach((socket, i) => {
          const more = socket.frames.slice(last[i]);
          assert.deepEqual(more.filter(({ opcode }) => opcode !== CLOSE
            && opcode !== TEXT).length, 0);
          assert.equal(more.at(-1).opcode, CLOSE);
        });

        for (let i = 0; i < 5; i++) {
          said.push((await server.said("mia", id, `while they were away ${i}`)).id);
        }

        await Promise.all(sockets.map(async (socket, i) => {
          const back = await raw(server, i % 2 ? "mia" : "ana",
                                 { query: `?offset=${socket.offset}` });
          assert.deepEqual(back.all("new_message").map((m) => m.id), said.slice(1));
          assert.equal(back.all("connected")[0].recovered, true);
        }));

        assert.deepEqual(await server.stop(), []);
      });

    it(`${workers} worker(s): messages said all the time arrive once and in order`, async () => {
      const server = await Server.start({ workers,
        directives: "mentara_drain 1s; mentara_user_sockets 1000;" });
      const id = await server.direct("mia", "ana");
      let going = true;         // there is more to come
      let talking = true;
      let clean = true;

      // a client that comes back with its last offset whenever it is closed
      const follow = async () => {
        const heard = [];
        let offset;
        let times = 0;
        while (going || heard.length < said.length) {
          const socket = new Raw(server, "ana", offset ? { query: `?offset=${offset}` } : {});
          await socket.answered();
          if (socket.status !== 101) continue;
          times++;
          await until(() => socket.ended || (!going
            && heard.length + socket.all("new_message").length >= said.length),
          "the end", 30000);
          if (times > 1 && socket.all("connected").some(({ recovered }) => !recovered)) {
            clean = false;
          }
          heard.push(...socket.all("new_message").map((m) => m.id));
          offset = socket.offset ?? offset;
          socket.close();
        }
        return heard;
      };

      const said = [];
      const first = await raw(server, "ana");
      const followers = Array.from({ length: 20 }, follow);
      await until(() => server.sockets.filter((s) =>
        s.all?.("connected").length).length >= 21, "all of them");

      // an idle connection may be closed as a request is put on it: say it again
      const talk = (async () => {
        while (talking) {
          const answer = await server.call("mia", "POST", `/conversations/${id}/messages`,
            { content: `number ${said.length}`, clientId: `n${said.length}` }).catch(() => {});
          if (answer) assert.equal(answer.status, 201, answer.text);
          if (answer) said.push(answer.json.id);
        }
      })();

      for (let i = 0; i < 3; i++) {
        const old = await server.do("workers");
        const n = said.length;
        await server.do("reload");
        await until(async () => !(await server.do("workers")).some((p) => old.includes(p)),
                    "the old workers' end", 20000);
        await until(() => said.length > n + 5, "messages");
      }

      talking = false;
      await talk;
      going = false;
      for (const heard of await Promise.all(followers)) assert.deepEqual(heard, said);
      assert.ok(clean, "all came back recovered");
      first.close();
      assert.deepEqual(await server.stop(), []);
    });
  }
});
