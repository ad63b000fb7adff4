// Nothing that was acknowledged is lost, doubled or out of order, while
// workers are killed and nginx is reloaded under 200 devices.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { Server, sleep, until } from "./lib/server.mjs";

const SECONDS = Number(process.env.CHAOS_SECONDS ?? 15);
const CONVERSATIONS = 20;
const DEVICES = 10;     // of each, one per person
const TRANSPORTS = [["websocket"], ["polling"], ["polling", "websocket"]];

describe("devices under dying workers and reloads", { timeout: 300000 }, () => {
  let server;
  const conversations = [];
  const devices = [];
  const acknowledged = new Map();   // of a conversation: ids of messages
  const counts = { rest: 0, socket: 0, kills: 0, reloads: 0, again: 0,
                   recovered: 0, reload: 0 };

  before(async () => {
    // a stock client whose WebSocket dies within the upgrade polls no more
    // and waits for a ping: they come often here
    server = await Server.start({
      workers: 4, connections: 4096, zone: "32m",
      directives: "mentara_drain 1s; mentara_user_sockets 1000;"
                  + " mentara_ping interval=1s timeout=2s;" });
    await server.sql(`insert into messaging.people (id, first_name, last_name, role)
      select 'chaos' || n, 'C' || n, 'X', 'therapist' from generate_series(0, 199) n`);
  });
  after(async () => assert.deepEqual(await server.stop(), []));

  const hear = (device) => (message) => {
    if (message.messageType !== "SYSTEM") device.heard.push(message);
  };

  function stock(who, transports) {
    const device = { who, heard: [], kind: transports.join("+") };

    device.socket = server.client(who, { transports });
    device.socket.on("new_message", hear(device));
    device.socket.on("connected", ({ recovered }) => {
      device.ready = true;
      counts[recovered ? "recovered" : "reload"]++;
    });
    return device;
  }

  // a plain WebSocket that comes back with its last offset, as an app would
  function plain(who) {
    const device = { who, heard: [], kind: "plain" };
    const open = () => {
      const ws = server.plain(who,
        { query: device.offset ? `?offset=${device.offset}` : "" });

      device.socket = ws;
      ws.on("message", (text) => {
        const { event, data, offset } = JSON.parse(text);

        if (event === "new_message") hear(device)(data);
        if (event === "connected") {
          device.ready = true;
          counts[data.recovered ? "recovered" : "reload"]++;
        }
        if (offset) device.offset = offset;
      });
      ws.on("close", () => {
        if (!device.done) setTimeout(open, 50 + 200 * Math.random());
      });
    };

    open();
    return device;
  }

  async function rest(who, id, content) {
    const key = randomUUID();

    for (;;) {
      try {
        const { status, json } = await server.call(who, "POST",
          `/conversations/${id}/messages`, { content }, { "idempotency-key": key });
        if (status === 201) return json;
        if (status < 500) throw new Error(`send: ${status}`);
      } catch (error) {
        if (/^send/.test(error.message)) throw error;
      }
      counts.again++;
      await sleep(50);
    }
  }

  async function send(n, stop) {
    const { id, people } = conversations[n % CONVERSATIONS];

    for (let i = 0; !stop.now; i++) {
      const who = people[i % people.length];
      const content = `message ${n} ${i}`;
      const device = devices.find((d) => d.who === who);
      let message;

      if (i % 3 === 0 && device.socket.connected) {
        try {
          const answer = await device.socket.timeout(2000).emitWithAck(
            "send_message", { conversationId: id, content });
          if (answer.success) { message = answer.message; counts.socket++; }
        } catch { counts.again++; }
      } else {
        message = await rest(who, id, content);
        counts.rest++;
      }

      if (message) acknowledged.get(id).push(message.id);
      await sleep(20);
    }
  }

  async function disturb(stop) {
    for (let i = 0; !stop.now; i++) {
      await sleep(1200);
      if (i % 3 === 2) {
        await server.do("reload");
        counts.reloads++;
      } else {
        const workers = server.workers();
        await server.do("kill", { pid: workers[i % workers.length] });
        counts.kills++;
      }
    }
  }

  it("b40, b83: hear every acknowledged message once and in order", async () => {
    for (let c = 0; c < CONVERSATIONS; c++) {
      const people = Array.from({ length: DEVICES }, (_, n) => `chaos${c * DEVICES + n}`);
      const id = await server.group(...people);

      conversations.push({ id, people });
      acknowledged.set(id, []);
      for (const [n, who] of people.entries()) {
        devices.push(n % 4 === 3 ? plain(who) : stock(who, TRANSPORTS[n % 4]));
      }
    }
    await until(() => devices.every(({ ready }) => ready), "all devices", 30000);

    const stop = { now: false };
    const work = [disturb(stop), ...conversations.map((_, n) => send(n, stop))];
    await sleep(SECONDS * 1000);
    stop.now = true;
    await Promise.all(work);

    const late = () => devices.filter((device, n) => {
      const all = acknowledged.get(conversations[Math.floor(n / DEVICES)].id);
      const heard = new Set(device.heard.map(({ id }) => id));
      return !all.every((id) => heard.has(id));
    });
    await until(() => late().length === 0, "all devices to have it all", 20000)
      .catch(() => {});

    const violations = [];
    devices.forEach((device, n) => {
      const own = conversations[Math.floor(n / DEVICES)].id;
      const all = acknowledged.get(own);
      const seqs = device.heard.map(({ seq }) => seq);
      const ids = device.heard.map(({ id }) => id);
      const lost = all.filter((id) => !ids.includes(id));

      device.done = true;
      if (device.heard.some(({ conversationId }) => conversationId !== own)) {
        violations.push(`${device.kind} ${device.who}: of another conversation`);
      }
      if (lost.length) violations.push(`${device.kind} ${device.who}: ${lost.length} lost`);
      if (new Set(ids).size < ids.length) {
        violations.push(`${device.kind} ${device.who}: ${ids.length - new Set(ids).size} twice`);
      }
      if (seqs.some((seq, i) => i && seq < seqs[i - 1])) {
        violations.push(`${device.kind} ${device.who}: out of order`);
      }
    });

    console.log(`# ${JSON.stringify(counts)} violations=${violations.length}`);
    assert.deepEqual(violations, []);
    assert.ok(counts.kills > 2 && counts.reloads > 1 && counts.socket > 10);
  });
});
