// b67: who is not in a conversation hears nothing of it and changes nothing in
// it, by either door, whatever ids are known.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { Server, sleep, until } from "./lib/server.mjs";
import { Raw, raw } from "./lib/raw.mjs";

const NOWHERE = "00000000-0000-7000-8000-000000000000";

// what a stranger may change: counters of the hub and audit are none of it
const TABLES = ["conversations", "participants", "memberships", "messages", "reactions",
                "events", "blocks", "message_revisions"];

// either door as { ask, say, events, ended, close }, events as the plain
// door's frames
const DOORS = {
  plain: async (server, who) => raw(server, who),
  "Socket.IO": async (server, who) => {
    const socket = await server.connected(who, { reconnection: false });
    return {
      events: socket.events,
      all: (name) => socket.all(name),
      next: (fits, ms) => until(() => socket.events.find(fits), "an event", ms),
      ask: (event, data) => socket.ask(event, data),
      say: (event, data) => socket.emit(event, data),
      get ended() { return !socket.connected; },
      close: () => socket.disconnect(),
    };
  },
};

// every client event with ids that are known
const ATTEMPTS = (conversation, message) => [
  ["join_conversation", { conversationId: conversation }],
  ["leave_conversation", { conversationId: conversation }],
  ["typing_indicator", { conversationId: conversation, isTyping: true }],
  ["typing_indicator", { conversationId: conversation, isTyping: false }],
  ["send_message", { conversationId: conversation, content: "let me in" }],
  ["send_message", { conversationId: conversation, content: "a reply", replyToId: message }],
  ["message_read", { messageId: message }],
];

for (const [name, open] of Object.entries(DOORS)) {
  describe(`outsiders, ${name}`, { timeout: 120000 }, () => {
    let server, id, group, message, n = 0;

    before(async () => {
      server = await Server.start({ workers: 4, directives: "mentara_user_sockets 1000;" });
      id = await server.direct("mia", "ana");
      group = await server.group("ana", "mia", "jun", "ben");
      message = await server.said("mia", id, "between the two of us");
      await server.said("ana", group, "in the circle of four");
    });
    afterEach(() => { for (const socket of server.sockets.splice(0)) socket.close(); });
    after(async () => assert.deepEqual(await server.stop(), []));

    const checksum = async () => (await Promise.all(TABLES.map((table) => server.sql(
      `select count(*), md5(coalesce(string_agg(t::text, E'\\n' order by t::text), ''))
         from messaging.${table} t`)))).map(([row]) => row.join(" "));

    // an own event that comes after all that was sent before it
    const marker = async (socket, who, other) => {
      const own = await server.direct(who, other);
      const last = await server.said(who, own, `the mark of ${who} ${n++}`);
      await socket.next(({ data }) => data?.id === last.id);
      return { own, last };
    };

    // everything that participants can do in a conversation
    async function everything(mia, ana) {
      const post = (who, url, body, method = "POST") => server.call(who, method, url, body);

      await mia.ask("typing_indicator", { conversationId: id, isTyping: true }, 100);
      await ana.ask("join_conversation", { conversationId: id }, 101);
      const said = await server.said("mia", id, `said among two ${n++}`);
      await post("mia", `/messages/${said.id}`, { content: `edited among two ${n++}` }, "PUT");
      await post("ana", `/messages/${said.id}/reactions`, { emoji: "\u{1f44d}" });
      await post("ana", `/messages/${said.id}/reactions/${encodeURIComponent("\u{1f44d}")}`,
                 undefined, "DELETE");
      await ana.ask("message_read", { messageId: said.id }, 102);
      await post("mia", `/messages/${said.id}`, undefined, "DELETE");
      await post("ana", `/conversations/${group}`, { title: `Circle ${n++}` }, "PATCH");
      await post("ana", `/conversations/${group}/participants`, { userId: "tess" });
      await post("ana", `/conversations/${group}/participants/tess`, { role: "MODERATOR" }, "PATCH");
      await post("ana", `/conversations/${group}/participants/tess`, undefined, "DELETE");
      await post("ana", `/conversations/${id}`, { isMuted: true }, "PATCH");
      await post("ana", `/conversations/${id}`, { isMuted: false }, "PATCH");
      await ana.ask("leave_conversation", { conversationId: id }, 103);
      await ana.ask("join_conversation", { conversationId: id }, 104);
      await mia.ask("typing_indicator", { conversationId: id, isTyping: false }, 105);
    }

    it("every event with known ids is refused as with unknown ones, nothing changes",
      async () => {
        const mia = await open(server, "mia");
        const ana = await open(server, "ana");
        const heard = [mia.events.length, ana.events.length];
        const marks = [await marker(mia, "mia", "sol"), await marker(ana, "ana", "sol")];
        const xeno = await open(server, "xeno");
        const before = await checksum();
        let i = 0;

        for (const conversation of [id, group]) {
          const foreign = ATTEMPTS(conversation, message.id);
          const unknown = ATTEMPTS(NOWHERE, NOWHERE);

          for (const [k, [event, data]] of foreign.entries()) {
            const answer = await xeno.ask(event, data, i++);
            assert.equal(answer.success, false, `${event} ${JSON.stringify(answer)}`);
            assert.ok([403, 404].includes(answer.statusCode), `${event}: ${answer.statusCode}`);
            assert.deepEqual(answer, await xeno.ask(...unknown[k], i++), event);
            xeno.say(event, data);
          }
        }

        await xeno.ask("message_read", { messageId: NOWHERE }, i++);
        assert.deepEqual(await checksum(), before);

        // what its attempts could have caused would have come by now
        const foreign = ({ data }) => JSON.stringify(data ?? null).includes("xeno");
        await marker(mia, "mia", "sol");
        await marker(ana, "ana", "sol");
        assert.deepEqual([mia, ana].map((s) => s.events.filter(foreign).length), [0, 0]);
        for (const [k, s] of [mia, ana].entries()) {
          const names = s.events.slice(heard[k]).filter(({ data }) =>
            data?.conversationId !== undefined && !marks.some(({ own }) =>
              own === data.conversationId)).map(({ event }) => event);
          assert.deepEqual(names, []);
        }
      });

    it("who listens while others do everything hears nothing of it", async () => {
      const xeno = await open(server, "xeno");
      const rosa = await open(server, "rosa");
      const kai = await open(server, "kai");
      const mia = await open(server, "mia");
      const ana = await open(server, "ana");
      for (const [event, data] of ATTEMPTS(id, message.id)) xeno.say(event, data);

      await everything(mia, ana);

      const listeners = [[xeno, "xeno"], [rosa, "rosa"], [kai, "kai"]];
      for (const [socket, who] of listeners) {
        const { own } = await marker(socket, who, "sol");
        for (const { event, data } of socket.events) {
          const text = JSON.stringify(data ?? null);
          assert.equal(text.includes(id) || text.includes(group), false, `${who}: ${event} ${text}`);
          if (event === "user_status_changed") assert.equal(data.userId, "sol");
        }
        assert.ok(socket.all("new_message").every((m) => m.conversationId === own));
      }

      // and those who should did
      for (const event of ["new_message", "message_updated", "message_reaction",
                           "conversation_updated", "participant_added"]) {
        await mia.next((e) => e.event === event);
      }
      await ana.next(({ event, data }) => event === "typing_indicator" && data.userId === "mia");
    });

    it("S13: who was removed hears its removal as the last of it, within 1 s", async () => {
      const jun = await open(server, "jun");
      const ana = await open(server, "ana");
      await jun.ask("join_conversation", { conversationId: group }, 1);
      const begun = Date.now();
      assert.equal((await server.call("ana", "DELETE",
        `/conversations/${group}/participants/jun`)).status, 204);
      await jun.next(({ event, data }) => event === "participant_removed" && data.userId === "jun");
      assert.ok(Date.now() - begun < 1000);

      const before = await checksum();
      const known = (await server.call("ana", "GET", `/conversations/${group}/messages`)).json;
      let i = 10;
      for (const [event, data] of ATTEMPTS(group, known[0].id)) {
        const answer = await jun.ask(event, data, i++);
        assert.ok([403, 404].includes(answer.statusCode), `${event}: ${JSON.stringify(answer)}`);
      }
      assert.deepEqual(await checksum(), before);

      await ana.ask("typing_indicator", { conversationId: group }, i++);
      await server.said("ana", group, "without the one who was removed");
      await marker(jun, "jun", "sol");
      const about = jun.events.filter(({ data }) =>
        JSON.stringify(data ?? null).includes(group)).map(({ event }) => event);
      assert.equal(about.at(-1), "participant_removed", about.join());
      assert.equal(JSON.stringify(jun.events).includes("without the one"), false);

      // back again: from the joining on
      assert.equal((await server.call("ana", "POST", `/conversations/${group}/participants`,
        { userId: "jun" })).status, 201);
      await jun.next(({ event, data }) => event === "conversation_created" && data.id === group);
      const later = await server.said("ana", group, "with everybody again");
      await jun.next(({ data }) => data?.id === later.id);
      assert.equal(JSON.stringify(jun.events).includes("without the one"), false);
    });

    it("b42: nothing of the moment crosses a block, either way, and all after it", async () => {
      const own = await server.direct("rosa", "ben");
      const rosa = await open(server, "rosa");
      const ben = await open(server, "ben");
      await ben.ask("typing_indicator", { conversationId: own }, 1);
      await rosa.next(({ event, data }) => event === "typing_indicator" && data.userId === "ben");
      await ben.ask("typing_indicator", { conversationId: own, isTyping: false }, 2);
      await rosa.next(({ event, data }) => event === "typing_indicator" && !data.isTyping);
      const said = await server.said("rosa", own, "before the block was made");
      await ben.next(({ data }) => data?.id === said.id);

      assert.equal((await server.call("rosa", "POST", "/block", { userId: "ben" })).status, 201);
      await rosa.next(({ event, data }) => event === "user_blocked" && data.userId === "ben");
      await marker(ben, "ben", "sol");
      const [r, b] = [rosa.events.length, ben.events.length];
      let i = 10;

      for (const [socket] of [[ben], [rosa]]) {
        await socket.ask("typing_indicator", { conversationId: own }, i++);
        await socket.ask("typing_indicator", { conversationId: own, isTyping: false }, i++);
        assert.equal((await socket.ask("send_message",
          { conversationId: own, content: "across the block" }, i++)).code, "cannot_contact");
      }

      await ben.ask("message_read", { messageId: said.id }, i++);
      const third = await open(server, "ben");
      third.close();
      await marker(rosa, "rosa", "sol");
      await marker(ben, "ben", "sol");

      for (const [events, other] of [[rosa.events.slice(r), "ben"], [ben.events.slice(b), "rosa"]]) {
        const crossed = events.filter(({ event, data }) =>
          ["typing_indicator", "user_status_changed", "message_read", "message_delivered",
           "user_joined_conversation", "user_left_conversation"].includes(event)
            && data.userId === other);
        assert.deepEqual(crossed, []);
      }
      assert.equal(ben.all("user_blocked").length, 0);
      assert.equal(JSON.stringify(ben.events).includes("user_blocked"), false);

      assert.equal((await server.call("rosa", "DELETE", "/block/ben")).status, 204);
      await rosa.next(({ event }) => event === "user_unblocked");
      await marker(ben, "ben", "sol");
      const again = rosa.all("typing_indicator").length;
      await ben.ask("typing_indicator", { conversationId: own }, i++);
      await until(() => rosa.all("typing_indicator").length > again, "typing");
    });

    it("b71: who is deactivated is sent away within 1 s, and hears nothing more", async () => {
      const own = await server.direct("ana", "jun");
      const jun = await open(server, "jun");
      await server.sql("update messaging.people set is_active = false where id = 'jun'");
      const begun = Date.now();
      await until(() => jun.ended, "the end", 5000);
      assert.ok(Date.now() - begun < 1200, `${Date.now() - begun} ms`);
      await server.said("ana", own, "after the deactivation");
      assert.equal(JSON.stringify(jun.events).includes("after the deactivation"), false);
      await until(async () => (await new Raw(server, "jun").answered()).status === 403,
                  "a 403 of every worker", 1000);
      await server.sql("update messaging.people set is_active = true where id = 'jun'");
    });

    it("b73: a changed role counts within 1 s on a live socket", async () => {
      const tess = await open(server, "tess");
      const rosa = await open(server, "rosa");
      await server.sql("update messaging.people set role = 'client' where id = 'tess'");

      // a support conversation that is claimed is told to staff alone
      const claim = async () => {
        const support = (await server.call("rosa", "POST", "/conversations",
          { type: "SUPPORT" })).json.id;
        assert.equal((await server.call("sol", "POST", `/support/${support}/claim`)).status, 404);
        const claimed = await server.call("sol", "POST", `/conversations/${support}/claim`);
        assert.equal(claimed.status, 200, claimed.text);
        await rosa.next(({ event, data }) => event === "conversation_updated" && data.id === support);
        assert.equal((await server.call("sol", "DELETE",
          `/conversations/${support}/claim`)).status, 204);
        assert.equal((await server.call("rosa", "PATCH", `/conversations/${support}`,
          { isActive: false })).status, 200);
        return support;
      };

      const heard = async (support) => {
        await marker(tess, "tess", "sol");
        return tess.events.some(({ data }) => JSON.stringify(data ?? null).includes(support));
      };

      await sleep(1000);
      assert.equal(await heard(await claim()), false, "not staff any more");
      await server.sql("update messaging.people set role = 'moderator' where id = 'tess'");
      await sleep(1000);
      assert.equal(await heard(await claim()), true, "staff again");
    });
  });
}
