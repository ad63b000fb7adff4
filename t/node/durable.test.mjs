// Stock socket.io-client: the events that are told of what was done, to whom.

import assert from "node:assert/strict";
import { it } from "node:test";
import { until } from "./lib/server.mjs";
import { suite } from "./lib/suite.mjs";

const own = ({ participants }, who) => participants.find((p) => p.userId === who);

suite("Socket.IO: durable events", {}, (box) => {
  // two devices of each of these
  async function devices(...people) {
    const all = {};

    for (const who of people) {
      all[who] = [await box.server.connected(who), await box.server.connected(who,
        { transports: ["polling"] })];
    }
    return all;
  }

  it("b32: a message is on every device of both, as REST answered it, and nowhere else", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const all = await devices("mia", "ana", "xeno");
    const message = await server.said("mia", id, "on all the devices");

    for (const client of [...all.mia, ...all.ana]) {
      const heard = await client.next("new_message", (m) => m.id === message.id);
      assert.equal(JSON.stringify(heard), message.text);
    }
    await server.settled(...all.mia, ...all.ana, ...all.xeno);
    for (const client of [...all.mia, ...all.ana]) {
      assert.equal(client.all("new_message").filter((m) => m.id === message.id).length, 1);
    }
    for (const client of all.xeno) {
      assert.equal(client.all("new_message").filter((m) => m.conversationId === id).length, 0);
    }
  });

  it("b32: forty messages at once come once each and in the order of seq", async () => {
    const { server } = box;
    const id = await server.group("ana", "mia", "ben");
    const all = await devices("mia", "ana", "ben");
    const clients = Object.values(all).flat();
    await Promise.all(Array.from({ length: 40 }, (_, i) => i % 2
      ? server.said(["ana", "mia", "ben"][i % 3], id, `by REST, number ${i}`)
      : all.mia[0].ask("send_message", { conversationId: id, content: `number ${i}` })));

    for (const client of clients) {
      await client.next("new_message", (m) => m.conversationId === id && m.seq === 40);
    }
    await server.settled(...clients);
    for (const client of clients) {
      assert.deepEqual(client.all("new_message").filter((m) => m.conversationId === id)
        .map((m) => m.seq), Array.from({ length: 40 }, (_, i) => i + 1));
    }
  });

  it("b33: an edit and a delete are seen on every device", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const all = await devices("mia", "ana", "xeno");
    const message = await server.said("mia", id, "before the edit");
    const edit = await server.call("mia", "PUT", `/messages/${message.id}`, { content: "after the edit" });

    for (const client of [...all.mia, ...all.ana]) {
      const e = await client.next("message_updated", (u) => u.messageId === message.id);
      assert.equal(JSON.stringify(e.message), edit.text);
      assert.deepEqual([e.conversationId, e.seq, e.content, e.isEdited, e.isDeleted, e.editedAt],
        [id, message.seq, "after the edit", true, false, edit.json.editedAt]);
      assert.deepEqual(Object.keys(e), ["messageId", "conversationId", "seq", "message", "content",
        "isEdited", "isDeleted", "editedAt", "eventSeq"]);
    }

    await server.call("mia", "PUT", `/messages/${message.id}`, { content: "after the edit" });
    await server.call("mia", "DELETE", `/messages/${message.id}`);
    await server.call("mia", "DELETE", `/messages/${message.id}`);

    for (const client of [...all.mia, ...all.ana]) {
      const e = await client.next("message_updated", (u) => u.messageId === message.id && u.isDeleted);
      assert.deepEqual([e.content, e.message.content, e.message.isDeleted], ["", "", true]);
    }
    await server.settled(...all.mia, ...all.ana, ...all.xeno);
    for (const client of [...all.mia, ...all.ana]) {
      assert.equal(client.all("message_updated").length, 2, "an equal text and a second delete are none");
    }
    for (const client of all.xeno) assert.equal(client.all("message_updated").length, 0);
  });

  it("b34: a mark that moves is told once, with the newest message it passed", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const all = await devices("mia", "ana", "xeno");
    const [one, two] = [await server.said("ana", id, "one of two"), await server.said("ana", id, "two of two")];
    const own = await server.said("mia", id, "my own after it");
    const read = await server.call("mia", "POST", `/messages/${own.id}/read`);

    for (const client of [...all.mia, ...all.ana]) {
      const e = await client.next("message_read", (r) => r.conversationId === id && r.userId === "mia");
      assert.deepEqual([e.messageId, e.userId], [two.id, "mia"]);
    }
    assert.equal(read.json.readAt, null, "an own message has no receipt");
    await server.call("mia", "POST", `/messages/${one.id}/read`);
    await server.call("mia", "POST", `/messages/${two.id}/read`);
    const mine = await server.said("mia", id, "nothing new of another");
    await server.call("mia", "POST", `/messages/${mine.id}/read`);
    await server.settled(...all.mia, ...all.ana, ...all.xeno);
    for (const client of [...all.mia, ...all.ana]) {
      assert.equal(client.all("message_read").filter((r) => r.userId === "mia").length, 1);
    }
    for (const client of all.xeno) assert.equal(client.all("message_read").length, 0);
  });

  it("b34: the time of the event is the one that REST and the receipts tell", async () => {
    const { server } = box;
    const id = await server.direct("jun", "ben");
    const ben = await server.connected("ben");
    const message = await server.said("ben", id, "when was it read");
    const read = await server.call("jun", "POST", `/messages/${message.id}/read`);
    const e = await ben.next("message_read", (r) => r.messageId === message.id);
    assert.equal(e.readAt, read.json.readAt);
    const { json } = await server.call("ben", "GET", `/messages/${message.id}`);
    assert.deepEqual(json.readReceipts.map((r) => [r.userId, r.readAt]), [["jun", e.readAt]]);
  });

  it("b34: across a block only the reader's own devices hear of a read", async () => {
    const { server } = box;
    const id = await server.direct("rosa", "tess");
    const all = await devices("rosa", "tess");
    const message = await server.said("tess", id, "read it across a block");
    await server.call("tess", "POST", "/block", { userId: "rosa" });
    await server.call("rosa", "POST", `/messages/${message.id}/read`);

    for (const client of all.rosa) await client.next("message_read", (r) => r.messageId === message.id);
    await server.settled(...all.tess);
    for (const client of all.tess) assert.equal(client.all("message_read").length, 0);
    await server.call("tess", "DELETE", "/block/rosa");
    await server.settled(...all.tess);
    for (const client of all.tess) assert.equal(client.all("message_read").length, 0);
  });

  it("b35: a reaction comes and goes on every device", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const all = await devices("mia", "ana", "xeno");
    const message = await server.said("mia", id, "to be reacted to");
    const added = await server.call("ana", "POST", `/messages/${message.id}/reactions`, { emoji: "👍🏽" });
    await server.call("ana", "POST", `/messages/${message.id}/reactions`, { emoji: "👍🏽" });
    await server.call("ana", "DELETE", `/messages/${message.id}/reactions/${encodeURIComponent("👍🏽")}`);
    await server.call("ana", "DELETE", `/messages/${message.id}/reactions/${encodeURIComponent("👍🏽")}`);
    await server.settled(...all.mia, ...all.ana, ...all.xeno);

    for (const client of [...all.mia, ...all.ana]) {
      const events = client.all("message_reaction").filter((e) => e.messageId === message.id);
      assert.deepEqual(events.map((e) => e.action), ["added", "removed"]);
      assert.equal(JSON.stringify(events[0].reaction), added.text);
      assert.equal(JSON.stringify(events[1].reaction), added.text);
      assert.equal(events[0].conversationId, id);
    }
    for (const client of all.xeno) assert.equal(client.all("message_reaction").length, 0);
  });

  it("b22: a new conversation is on the members' screens and live, without doing anything", async () => {
    const { server } = box;
    const all = await devices("mia", "ana", "xeno");
    const id = await server.group("ana", "mia");

    for (const client of [...all.mia, ...all.ana]) {
      const e = await client.next("conversation_created", (c) => c.id === id);
      assert.deepEqual([e.title, e.messages, e._count.messages], ["Circle", [], 0]);
      assert.deepEqual(e.participants.map((p) => [p.userId, p.isMuted, p.isArchived]).sort(),
        [["ana", false, false], ["mia", false, false]]);
    }
    const message = await server.said("mia", id, "the first in here");
    for (const client of [...all.mia, ...all.ana]) {
      await client.next("new_message", (m) => m.id === message.id);
    }
    all.mia[0].emit("typing_indicator", { conversationId: id });
    for (const client of all.ana) await client.next("typing_indicator", (t) => t.conversationId === id);
    await server.settled(...all.xeno);
    for (const client of all.xeno) {
      assert.equal(client.all("conversation_created").filter((c) => c.id === id).length, 0);
    }
  });

  it("b20: a new title and the end of a conversation are seen by all, as nobody's own view", async () => {
    const { server } = box;
    const id = await server.group("ana", "mia");
    const all = await devices("mia", "ana");
    await server.call("mia", "PATCH", `/conversations/${id}`, { isMuted: true, isArchived: true });
    await server.settled(...all.mia);
    await server.call("ana", "PATCH", `/conversations/${id}`, { title: "Other circle" });
    await server.call("ana", "PATCH", `/conversations/${id}`, { title: "Other circle" });
    await server.call("ana", "PATCH", `/conversations/${id}`, { isActive: false });

    for (const client of [...all.mia, ...all.ana]) {
      const e = await client.next("conversation_updated", (c) => c.title === "Other circle");
      assert.deepEqual(e.participants.map((p) => p.isMuted || p.isArchived), [false, false]);
      await client.next("conversation_updated", (c) => c.id === id && !c.isActive);
    }
    await server.settled(...all.mia, ...all.ana);
    for (const client of all.ana) assert.equal(client.all("conversation_updated").length, 2);
    // the event of a change comes before its system line
    const order = all.ana[0].events.filter(({ data }) => data.id === id || data.conversationId === id)
      .filter(({ data }) => data.title || data.system).map(({ event }) => event);
    assert.deepEqual(order.slice(0, 2), ["conversation_updated", "new_message"]);
  });

  it("b20: muting and archiving are seen on one's own devices only", async () => {
    const { server } = box;
    const id = await server.group("ana", "mia");
    const all = await devices("mia", "ana");
    await server.call("mia", "PATCH", `/conversations/${id}`, { isMuted: true });
    await server.call("mia", "PATCH", `/conversations/${id}`, { isMuted: true });
    await server.call("mia", "PATCH", `/conversations/${id}`, { isArchived: true });
    await server.settled(...all.mia, ...all.ana);

    for (const client of all.mia) {
      const events = client.all("conversation_updated").filter((c) => c.id === id);
      assert.deepEqual(events.map((c) => own(c, "mia").isMuted), [true, true]);
      assert.deepEqual(events.map((c) => own(c, "mia").isArchived), [false, true]);
      assert.equal(own(events[1], "ana").isMuted, false);
    }
    for (const client of all.ana) assert.equal(client.all("conversation_updated").length, 0);
  });

  it("b20: a view of one's own has its place in the order of the conversation", async () => {
    const { server } = box;
    const id = await server.group("ana", "mia", "jun");
    const [mia, ana] = await Promise.all(["mia", "ana"].map((who) => server.connected(who)));
    await server.said("ana", id, "something");
    for (const isMuted of [true, false]) await server.call("mia", "PATCH", `/conversations/${id}`, { isMuted });
    await server.call("ana", "PATCH", `/conversations/${id}`, { title: "Between" });
    await server.call("mia", "PATCH", `/conversations/${id}`, { isArchived: true });
    await server.settled(mia, ana);

    const seqs = (client) => client.all("conversation_updated").filter((c) => c.id === id).map((c) => c.eventSeq);
    assert.equal(seqs(mia).length, 4);
    assert.deepEqual(seqs(mia), [...new Set(seqs(mia))].sort((x, y) => x - y));
    assert.equal(seqs(ana).length, 1, "with a hole for the others");
    for (const client of [mia, ana]) {
      for (const { participants } of client.all("conversation_updated").filter((c) => c.id === id)) {
        assert.deepEqual(participants.map((p) => p.userId), ["ana", "jun", "mia"], "as they joined");
      }
    }
  });

  it("b6: a claim is seen by all staff and by the client, giving it back too", async () => {
    const { server } = box;
    const all = await devices("jun", "sol", "tess", "kai", "ana");
    const { json } = await server.call("jun", "POST", "/conversations", { type: "SUPPORT" });
    assert.equal((await server.call("sol", "POST", `/conversations/${json.id}/claim`)).status, 200);

    for (const client of [...all.jun, ...all.sol, ...all.tess, ...all.kai]) {
      const e = await client.next("conversation_updated", (c) => c.id === json.id, 3000);
      assert.equal(own(e, "sol").role, "ADMIN");
    }
    for (const client of all.sol) await client.next("conversation_created", (c) => c.id === json.id);
    for (const client of all.jun) {
      await client.next("new_message", (m) => m.conversationId === json.id && m.system?.action === "claimed");
    }
    assert.equal((await server.call("sol", "DELETE", `/conversations/${json.id}/claim`)).status, 204);

    for (const client of [...all.jun, ...all.tess, ...all.kai]) {
      await until(() => client.all("conversation_updated").filter((c) => c.id === json.id).length === 2,
        "the claim is given back");
    }
    const line = await server.said("jun", json.id, "is anybody there at all");
    for (const client of all.jun) await client.next("new_message", (m) => m.id === line.id);
    await server.settled(...all.sol, ...all.tess, ...all.ana);
    for (const client of [...all.tess, ...all.sol, ...all.ana]) {
      assert.equal(client.all("new_message").filter((m) => m.id === line.id).length, 0);
    }
    for (const client of all.ana) assert.equal(client.all("conversation_updated").length, 0);
    for (const client of all.sol) {
      const last = client.events.findLast(({ data }) => (data.conversationId ?? data.id) === json.id);
      assert.equal(last.event, "participant_removed", "nothing after it to who goes");
    }
    await server.call("jun", "PATCH", `/conversations/${json.id}`, { isActive: false });
  });

  it("b20: who is added gets the own join and all after it, the others too", async () => {
    const { server } = box;
    const id = await server.group("ana", "mia");
    const before = await server.said("mia", id, "before he came in");
    const all = await devices("mia", "ana", "ben");
    const { json } = await server.call("ana", "POST", `/conversations/${id}/participants`, { userId: "ben" });
    const next = await server.said("mia", id, "after he came in");

    for (const client of [...all.mia, ...all.ana, ...all.ben]) {
      const e = await client.next("participant_added", (p) => p.conversationId === id);
      assert.deepEqual([e.id, e.userId, e.role, e.isActive], [json.id, "ben", "MEMBER", true]);
      await client.next("new_message", (m) => m.id === next.id);
    }
    await server.call("ana", "PUT", `/messages/${before.id}`, { content: "x" });
    await server.call("mia", "PUT", `/messages/${before.id}`, { content: "he sees none of it" });
    await server.settled(...all.mia, ...all.ana, ...all.ben);

    for (const client of all.ben) {
      const of = client.events.filter(({ data }) => data.id === id || data.conversationId === id);
      assert.deepEqual(of.map(({ event, data }) => [event, data.system?.action ?? null]), [
        ["conversation_created", null], ["participant_added", null],
        ["new_message", "participant_added"], ["new_message", null]]);
    }
    for (const client of [...all.mia, ...all.ana]) {
      assert.equal(client.all("conversation_created").filter((c) => c.id === id).length, 0);
      assert.equal(client.all("message_updated").filter((u) => u.messageId === before.id).length, 1);
    }
    // adding who is in already: no event
    await server.call("ana", "POST", `/conversations/${id}/participants`, { userId: "ben" });
    await server.settled(...all.ana);
    assert.equal(all.ana[0].all("participant_added").length, 1);
  });

  it("b7: a changed role is seen by all of them", async () => {
    const { server } = box;
    const id = await server.group("ana", "mia");
    const all = await devices("mia", "ana");
    await server.call("ana", "PATCH", `/conversations/${id}/participants/mia`, { role: "MODERATOR" });

    for (const client of [...all.mia, ...all.ana]) {
      const e = await client.next("participant_updated", (p) => p.conversationId === id);
      assert.deepEqual([e.userId, e.role], ["mia", "MODERATOR"]);
    }
  });

  for (const [by, name] of [["ana", "is removed"], ["mia", "leaves"]]) {
    it(`b38: who ${name} hears that last, and nothing after it`, async () => {
      const { server } = box;
      const id = await server.group("ana", "mia", "ben");
      const all = await devices("mia", "ana", "ben");
      await server.call(by, "DELETE", `/conversations/${id}/participants/mia`);
      const next = await server.said("ben", id, "without her now");
      all.ben[0].emit("typing_indicator", { conversationId: id });

      for (const client of [...all.ana, ...all.ben]) {
        const e = await client.next("participant_removed", (p) => p.conversationId === id);
        assert.deepEqual([e.userId, e.isActive], ["mia", false]);
        await client.next("new_message", (m) => m.id === next.id);
      }
      for (const client of all.ana) await client.next("typing_indicator", (t) => t.conversationId === id);
      await server.settled(...all.mia);
      for (const client of all.mia) {
        const of = client.events.filter(({ data }) => data.conversationId === id);
        assert.equal(of.at(-1).event, "participant_removed");
        assert.equal(of.filter(({ event }) => event === "participant_removed").length, 1);
      }
      const answer = await all.mia[0].ask("typing_indicator", { conversationId: id });
      assert.deepEqual([answer.success, answer.code], [false, "not_found"]);
      const joined = await all.mia[0].ask("join_conversation", { conversationId: id });
      assert.equal(joined.code, "not_found");

      // and back again: all after it, nothing of the time between
      await server.call("ana", "POST", `/conversations/${id}/participants`, { userId: "mia" });
      const last = await server.said("ben", id, "with her again now");
      for (const client of all.mia) {
        await client.next("new_message", (m) => m.id === last.id);
        assert.equal(client.all("new_message").filter((m) => m.id === next.id).length, 0);
        assert.equal(client.all("conversation_created").filter((c) => c.id === id).length, 1);
      }
    });
  }

  it("b30: a block and its end are seen on one's own devices only", async () => {
    const { server } = box;
    await server.direct("mia", "ana");
    const all = await devices("mia", "ana");
    await server.call("mia", "POST", "/block", { userId: "ana", reason: "a reason that nobody hears" });
    await server.call("mia", "POST", "/block", { userId: "ana" });
    await server.call("mia", "DELETE", "/block/ana");
    await server.call("mia", "DELETE", "/block/ana");
    await server.settled(...all.mia, ...all.ana);

    for (const client of all.mia) {
      assert.deepEqual(client.all("user_blocked"), [{ userId: "ana" }]);
      assert.deepEqual(client.all("user_unblocked"), [{ userId: "ana" }]);
    }
    for (const client of all.ana) {
      assert.equal(client.all("user_blocked").length + client.all("user_unblocked").length, 0);
    }
  });

  it("b32: eventSeq rises through all events of a conversation", async () => {
    const { server } = box;
    const id = await server.group("ana", "mia");
    const mia = await server.connected("mia");
    const message = await server.said("ana", id, "to be changed a lot");
    await Promise.all([
      server.call("mia", "POST", `/messages/${message.id}/reactions`, { emoji: "🎉" }),
      server.call("mia", "POST", `/messages/${message.id}/read`),
      server.call("ana", "PUT", `/messages/${message.id}`, { content: "changed by now" }),
      server.call("ana", "PATCH", `/conversations/${id}`, { title: "A third circle" })]);
    await server.settled(mia);
    const seqs = mia.events.filter(({ data }) => data.conversationId === id || data.id === id)
      .map(({ data }) => data.eventSeq).filter(Boolean);
    assert.equal(seqs.length, 4);
    assert.deepEqual(seqs, [...seqs].sort((a, b) => a - b));
  });

  it("b71: a new name is told to who shares a conversation", async () => {
    const { server } = box;
    const id = await server.direct("mia", "ana");
    const mia = await server.connected("mia");
    await server.sql("update messaging.people set first_name = 'Anna' where id = 'ana'");
    await server.sql("select messaging.notify_user('ana')");
    const e = await mia.next("participant_updated", (p) => p.conversationId === id);
    assert.equal(e.user.firstName, "Anna");
  });
});
