// b63: of very many sockets over four workers, one message is written to those
// alone that are in its room.  MENTARA_SOCKETS is how many there are.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import net from "node:net";
import { after, before, describe, it } from "node:test";
import { Server, until } from "./lib/server.mjs";
import { raw } from "./lib/raw.mjs";

const SOCKETS = Number(process.env.MENTARA_SOCKETS ?? 10000);
const HERDS = 2;          // processes, each with its share
const AT_ONCE = 200;      // handshakes on their way, per process
const PEOPLE = 40;

// A process of its own with n sockets, each of which counts what it hears.
// It says {"open":n} when all have heard `connected` and nothing else has come
// for a while; each line on stdin is answered with what came since the last.
async function herd({ host, port, tokens, n, address }) {
  const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
  let open = 0;
  let ended = 0;
  let heard = 0;

  const one = (token, local) => new Promise((resolve) => {
    const socket = net.connect({ host, port, localAddress: local, noDelay: true });
    let first = "";
    socket.on("error", (error) => say({ error: error.code }));
    socket.on("close", () => { ended++; });
    socket.on("data", (data) => {
      if (first === null) {
        heard += data.toString("latin1").split('{"event":"').length - 1;
        return;
      }
      first += data.toString("latin1");
      if (first.includes("\r\n\r\n") && !first.startsWith("HTTP/1.1 101")) {
        say({ error: first.slice(0, 200) });
        resolve();
      }
      if (!first.includes('{"event":"connected"')) return;
      heard += first.split('{"event":"').length - 2;
      first = null;
      open++;
      resolve();
    });
    socket.write(`GET /messaging/ws HTTP/1.1\r\nhost: ${host}:${port}\r\n`
      + "upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\n"
      + `sec-websocket-key: AAECAwQFBgcICQoLDA0ODw==\r\nauthorization: Bearer ${token}\r\n\r\n`);
  });

  let next = 0;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (next < n) {
      const i = next++;
      await one(tokens[i % tokens.length], `127.0.0.${address + Math.floor(i / 2500)}`);
    }
  }));
  say({ open });

  for await (const line of createInterface({ input: process.stdin })) {
    if (line === "end") process.exit();
    say({ open, ended, heard });
    heard = 0;
  }
}

class Herd {
  constructor(options) {
    this.lines = [];
    this.waiting = [];
    this.child = spawn(process.execPath, [fileURLToPath(import.meta.url), "--herd",
      JSON.stringify(options)], { stdio: ["pipe", "pipe", "inherit"],
                                  env: { ...process.env, NODE_TEST_CONTEXT: "" } });
    createInterface({ input: this.child.stdout }).on("line", (line) => {
      const waiter = this.waiting.shift();
      if (waiter) waiter(JSON.parse(line));
      else this.lines.push(JSON.parse(line));
    });
  }

  next() {
    return this.lines.length > 0 ? Promise.resolve(this.lines.shift())
      : new Promise((resolve) => this.waiting.push(resolve));
  }

  ask() {
    this.child.stdin.write("\n");
    return this.next();
  }

  end() { this.child.kill(); }
}

const MARK = process.argv.indexOf("--herd");

if (MARK > 0) {
  await herd(JSON.parse(process.argv[MARK + 1]));
} else {
  describe(`${SOCKETS} sockets, 4 workers`, { timeout: 120000 }, () => {
    let server, herds;

    before(async () => {
      server = await Server.start({ workers: 4, connections: 16000, zone: "32m",
        directives: "mentara_user_sockets 1000; mentara_presence_grace 0s;" });
      const people = Array.from({ length: PEOPLE }, (_, i) => `crowd${i}`);
      await server.sql(`insert into messaging.people (id, first_name, last_name, role)
        select p, 'A', 'Person', 'client' from unnest('{${people}}'::text[]) p`);
      const { hostname: host, port } = new URL(server.url);
      const tokens = people.map((who) => server.token(who));
      herds = Array.from({ length: HERDS }, (_, i) => new Herd({ host, port, tokens,
        n: Math.ceil((SOCKETS - 2) / HERDS), address: 10 + 10 * i }));
    });
    after(async () => {
      for (const one of herds) one.end();
      assert.deepEqual(await server.stop(), []);
    });

    const delivered = async () => Number(/^mentara_delivered_total (\d+)$/m.exec(
      await (await fetch(`${server.url}/metrics`)).text())[1]);

    it("b63: one message causes exactly two writes", async () => {
      for (const one of herds) {
        assert.deepEqual(await one.next(), { open: Math.ceil((SOCKETS - 2) / HERDS) });
      }

      // ana says it, jun and rosa hear it; ana herself has no socket
      const id = await server.group("ana", "jun", "rosa");
      const two = [await raw(server, "jun"), await raw(server, "rosa")];
      const first = await server.said("ana", id, "the first to the two of them");
      await Promise.all(two.map((one) => one.next(({ data }) => data?.id === first.id)));
      const connects = Number(/^mentara_socket_connects_total (\d+)$/m.exec(
        await (await fetch(`${server.url}/metrics`)).text())[1]);
      assert.ok(connects >= SOCKETS, `${connects} were let in`);

      // nothing more is on its way
      await until(async () => {
        const had = await delivered();
        const heard = await Promise.all(herds.map((one) => one.ask()));
        return heard.every((h) => h.heard === 0) && await delivered() === had;
      }, "quiet");

      const had = await delivered();
      const frames = two.map((one) => one.frames.length);

      for (let i = 1; i <= 10; i++) {
        const message = await server.said("ana", id, `to the two of them, number ${i}`);
        await Promise.all(two.map((one) => one.next(({ data }) => data?.id === message.id)));
        assert.equal(await delivered(), had + 2 * i);
      }

      assert.deepEqual(two.map((one, i) => one.frames.length - frames[i]), [10, 10]);

      for (const one of herds) {
        const { ended, heard } = await one.ask();
        assert.deepEqual([ended, heard], [0, 0]);
      }
      assert.equal(await delivered(), had + 20);
    });
  });
}
