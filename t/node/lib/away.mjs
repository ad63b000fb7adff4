// What is done to a server while its clients look on, and clients that were away.

import assert from "node:assert/strict";
import { until } from "./server.mjs";

// a client that does not come back before it is told to
export async function away(client) {
  client.io.reconnection(false);
  const gone = new Promise((resolve) => client.on("disconnect", resolve));
  client.io.engine.close();
  await gone;
}

export function back(client) {
  client.seen = client.events.length;
  client.io.reconnection(true);
  client.connect();
}

// what came since back(), up to and with `connected`
export async function replay(client, ms = 15000) {
  await until(() => client.events.slice(client.seen).some(({ event }) => event === "connected"),
    "connected again", ms);
  const events = client.events.slice(client.seen);
  return events.slice(0, events.findIndex(({ event }) => event === "connected") + 1);
}

// the missed events came before `connected`, once, in the order of their
// conversations; from the database what was heard before may come again
export async function got(client, ids, ms) {
  const events = await replay(client, ms);
  const known = client.events.slice(0, client.seen).map(({ data }) => data.id);
  const heard = events.filter(({ event }) => event === "new_message").map(({ data }) => data)
    .filter(({ id }) => ids.includes(id) || !known.includes(id));

  assert.equal(client.recovered, true);
  assert.equal(events.at(-1).data.recovered, true);
  assert.deepEqual(heard.map((m) => m.id).sort(), [...ids].sort());
  heard.forEach((m, i) => assert.ok(heard.slice(i + 1).every((n) =>
    m.conversationId !== n.conversationId || m.seq < n.seq), "in the order of seq"));
  assert.equal(events.filter(({ event }) => event === "user_status_changed").length, 0);
  return events;
}

export const ids = (messages) => messages.map(({ id }) => id);

// n messages; where a worker has no database yet it is asked again, as its
// answer says
export async function says(server, who, id, n, text = "missed") {
  const all = [];

  for (let i = 0; i < n; i++) {
    all.push(await until(() => server.said(who, id, `${text}, number ${i}`).catch((error) => {
      if (!/db_unavailable/.test(error.message)) throw error;
    }), "it is said"));
  }
  return all;
}

export const allKilled = (server) =>
  replaced(server, (pid) => server.do("kill", { pid }));

export const allTerminated = (server) =>
  replaced(server, (pid) => process.kill(pid, "SIGTERM"));

// each worker goes as told, and others are there
async function replaced(server, end) {
  const old = server.workers();
  await Promise.all(old.map(end));
  await until(() => {
    try {
      const now = server.workers();
      return now.length === old.length && now.every((pid) => !old.includes(pid));
    } catch { return false; }
  }, "new workers");
  await until(async () => {
    try { return (await server.call(null, "GET", "/health")).status === 200; } catch { return false; }
  }, "health");
}

export async function reloaded(server) {
  const old = server.workers();
  await server.do("reload");
  await until(() => server.workers().every((pid) => !old.includes(pid)), "the old workers are gone", 20000);
}

export async function postgresRestarted(server) {
  await server.do("pg_stop", { mode: "immediate" });
  await server.do("pg_start");
  // each worker tries again twice a second
  let since = Date.now();
  await until(async () => {
    if ((await server.call(null, "GET", "/health")).status !== 200) since = Date.now();
    return Date.now() - since > 800;
  }, "health of all workers");
}

// whatever may end all connections: [what, how]
export const ENDS = [
  ["all workers were killed", allKilled],
  ["nginx was reloaded", reloaded],
  ["nginx was restarted", (server) => server.do("restart")],
  ["Postgres was restarted", postgresRestarted],
];
