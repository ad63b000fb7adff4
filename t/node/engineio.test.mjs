// Engine.IO 4 over the echo module: every rule of the protocol, with one
// worker and with four, each request on a connection of its own.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Socket } from "engine.io-client";
import { Echo, Frames, milliseconds } from "./lib/echo.mjs";

const INTERVAL = 300;
const TIMEOUT = 200;

for (const workers of [1, 4]) {
  describe(`Engine.IO, ${workers} worker(s)`, { timeout: 120000 }, () => {
    let echo;

    before(async () => { echo = await Echo.start({ workers }); });
    after(async () => assert.deepEqual(await echo.stop(), []));

    const websocket = (query = "") =>
      echo.socket(`/engine.io/?EIO=4&transport=websocket${query}`);

    it("opens a session by polling", async () => {
      const { status, headers, text } = await echo.request(
        "GET", "/engine.io/?EIO=4&transport=polling");
      assert.equal(status, 200);
      assert.equal(headers["content-type"], "text/plain; charset=UTF-8");
      assert.equal(headers["cache-control"], "no-store");
      assert.equal(headers["x-content-type-options"], "nosniff");
      assert.equal(text[0], "0");
      const open = JSON.parse(text.slice(1));
      assert.match(open.sid, /^[\w-]{20}$/);
      assert.deepEqual({ ...open, sid: 0 },
        { sid: 0, upgrades: ["websocket"], pingInterval: INTERVAL,
          pingTimeout: TIMEOUT, maxPayload: 1000000 });
    });

    it("opens a session by WebSocket", async () => {
      const socket = websocket();
      const open = JSON.parse((await socket.next()).slice(1));
      assert.deepEqual({ ...open, sid: 0 },
        { sid: 0, upgrades: [], pingInterval: INTERVAL,
          pingTimeout: TIMEOUT, maxPayload: 1000000 });
      socket.close();
    });

    for (const [query, method, code] of [
      ["EIO=4", "GET", 0],
      ["EIO=4&transport=abc", "GET", 0],
      ["EIO=4&transport=polling&sid=abcdefghijabcdefghij", "GET", 1],
      ["EIO=4&transport=polling&sid=", "GET", 1],
      ["EIO=4&transport=polling", "POST", 2],
      ["EIO=4&transport=polling", "PUT", 2],
      ["EIO=4&transport=websocket", "GET", 3],
      ["transport=polling", "GET", 5],
      ["EIO=3&transport=polling", "GET", 5],
      ["EIO=abc&transport=polling", "GET", 5],
    ]) {
      it(`refuses ${method} ?${query} with code ${code}`, async () => {
        const { status, headers, text } = await echo.request(
          method, `/engine.io/?${query}`);
        assert.equal(status, 400);
        assert.equal(headers["content-type"], "application/json");
        assert.equal(JSON.parse(text).code, code);
      });
    }

    it("what is refused leaves its body to no next request", async () => {
      const { sid } = await echo.polling().open();
      const polling = "/engine.io/?EIO=4&transport=polling";
      for (const head of ["POST /engine.io/?EIO=4&transport=abc", `POST ${polling}`,
                          "POST /engine.io/?EIO=3&transport=polling",
                          `POST ${polling}&sid=abcdefghijabcdefghij`,
                          `PUT ${polling}&sid=${sid}`, `GET ${polling}&sid=`]) {
        const answers = await echo.pipelined([head, `GET ${polling} HTTP/1.1\r\nHost: a\r\n\r\n`],
          [`GET ${polling}`]);
        assert.deepEqual(answers.slice(0, -1), [400, 200], head);
      }
    });

    it("what is above maxPayload is answered once", async () => {
      const session = await echo.polling().open();
      const url = `/engine.io/?EIO=4&transport=polling&sid=${session.sid}`;
      assert.deepEqual(await echo.pipelined([`POST ${url}`, "4".repeat(1000001)]), [413]);
    });

    for (const query of ["transport=websocket", "EIO=3&transport=websocket",
                         "EIO=abc&transport=websocket", "EIO=4&transport=abc",
                         "EIO=4"]) {
      it(`refuses a WebSocket with ?${query}`, async () => {
        await assert.rejects(echo.socket(`/engine.io/?${query}`).opened, /400/);
      });
    }

    it("echoes by polling, packets of one POST in one poll", async () => {
      const session = await echo.polling().open();
      assert.deepEqual((await session.post("4test1\x1e4test2\x1e4tes\u20ac3"))
        .text, "ok");
      const packets = [];
      while (packets.length < 3)
        packets.push(...await session.until((packet) => packet[0] === "4"));
      assert.deepEqual(packets, ["4test1", "4test2", "4tes\u20ac3"]);
    });

    it("echoes octets by polling, in order with text", async () => {
      const session = await echo.polling().open();
      await session.post("4hello\x1ebAQIDBA==\x1eb\x1ebAQ==");
      const packets = [];
      while (packets.length < 4)
        packets.push(...await session.until(() => true));
      assert.deepEqual(packets, ["4hello", "bAQIDBA==", "b", "bAQ=="]);
    });

    it("echoes by WebSocket, text and octets", async () => {
      const socket = websocket();
      await socket.next();
      socket.send("4hello");
      assert.equal(await socket.packet(), "4hello");
      socket.send(Buffer.from([1, 2, 3, 4]));
      assert.deepEqual(await socket.packet(), Buffer.from([1, 2, 3, 4]));
      socket.send("4");
      assert.equal(await socket.packet(), "4");
      socket.close();
    });

    it("answers a poll that waits", async () => {
      const session = await echo.polling().open();
      const poll = session.until((packet) => packet === "4late");
      await session.post("4late");
      assert.deepEqual(await poll, ["4late"]);
    });

    it("pings by polling, and lives on with pongs", async () => {
      const session = await echo.polling().open();
      for (let i = 0; i < 3; i++) {
        assert.equal((await session.get()).text, "2");
        assert.equal((await session.post("3")).text, "ok");
      }
    });

    it("pings by WebSocket, and lives on with pongs", async () => {
      const socket = websocket();
      await socket.next();
      for (let i = 0; i < 3; i++) {
        assert.equal(await socket.next(), "2");
        socket.send("3");
      }
      socket.close();
    });

    it("ends a polled session without pongs", async () => {
      const session = await echo.polling().open();
      await milliseconds(INTERVAL + TIMEOUT);
      assert.equal((await session.get()).status, 400);
    });

    it("ends a WebSocket without pongs", async () => {
      const socket = websocket();
      const begun = Date.now();
      await socket.next();
      await socket.closed;
      const took = Date.now() - begun;
      assert.ok(took >= INTERVAL + TIMEOUT - 20 && took < 2000, `${took} ms`);
    });

    it("closes at the client's wish, by polling", async () => {
      const session = await echo.polling().open();
      const poll = session.get();
      await milliseconds(20);
      assert.equal((await session.post("1")).text, "ok");
      assert.equal((await poll).text, "6");
      const { status, text } = await session.get();
      assert.equal(status, 400);
      assert.equal(JSON.parse(text).code, 1);
    });

    it("closes at the client's wish, by WebSocket", async () => {
      const socket = websocket();
      await socket.next();
      socket.send("1");
      assert.equal(await socket.closed, 1005);
    });

    it("two polls at a time end the session", async () => {
      const session = await echo.polling().open();
      const first = session.get();
      await milliseconds(50);
      const second = await session.get();
      assert.equal(second.status, 400);
      assert.equal((await first).text, "1");
      assert.equal((await session.get()).status, 400);
    });

    for (const body of ["abc", "", "7", "4a\x1e", "bAQI", "2", "0", "5"]) {
      it(`a POST of ${JSON.stringify(body)} ends the session`, async () => {
        const session = await echo.polling().open();
        await session.post(body);
        assert.equal((await session.get()).status, 400);
      });
    }

    it("takes no octet stream", async () => {
      const session = await echo.polling().open();
      const { status, text } = await session.post("4a",
        { "content-type": "application/octet-stream" });
      assert.equal(status, 400);
      assert.equal(text, "");
    });

    it("takes a POST of maxPayload, and no octet more", async () => {
      const session = await echo.polling().open();
      const large = await session.post("4".repeat(1000001)).catch(() => null);
      assert.ok(large === null || large.status === 413);
      assert.equal((await session.post("4".repeat(1000000))).status, 200);
      const [packet] = await session.until((one) => one.length === 1000000);
      assert.equal(packet, "4".repeat(1000000));
    });

    it("takes a POST in chunks", async () => {
      const session = await echo.polling().open();
      const { text } = await session.post("4chunked",
        { "transfer-encoding": "chunked", "content-type": "text/plain" });
      assert.equal(text, "ok");
      assert.deepEqual(await session.until((packet) => packet === "4chunked"),
                       ["4chunked"]);
    });

    for (const message of ["abc", "7", "2", "5", "0", "6", "2probe", ""]) {
      it(`a frame of ${JSON.stringify(message)} ends it`, async () => {
        const socket = websocket();
        await socket.next();
        socket.send(message);
        assert.equal(await socket.closed, 1005);
      });
    }

    it("closes 1009 above maxPayload", async () => {
      const socket = websocket();
      await socket.next();
      socket.send("4".repeat(1000001));
      assert.equal(await socket.closed, 1009);
    });

    it("upgrades, and keeps what was sent before", async () => {
      const session = await echo.polling().open();
      await session.post("4before");
      const socket = websocket(`&sid=${session.sid}`);
      await socket.opened;
      socket.send("2probe");
      assert.equal(await socket.next(), "3probe");
      socket.send("5");
      assert.equal(await socket.packet(), "4before");
      socket.send("4after");
      assert.equal(await socket.packet(), "4after");
      socket.send(Buffer.from([7, 8]));
      assert.deepEqual(await socket.packet(), Buffer.from([7, 8]));

      // and lives on with pings
      for (let i = 0; i < 3; i++) {
        assert.equal(await socket.next(), "2");
        socket.send("3");
      }
      socket.close();
    });

    it("a probe ends the waiting poll", async () => {
      const session = await echo.polling().open();
      const poll = session.get();
      const socket = websocket(`&sid=${session.sid}`);
      await socket.opened;
      socket.send("2probe");
      assert.equal(await socket.next(), "3probe");
      assert.equal((await poll).text, "6");
      socket.send("5");
      socket.send("4a");
      assert.equal(await socket.packet(), "4a");
      socket.close();
    });

    it("a probe that does not wait for the waiting poll ends it, and its end ends nothing", async () => {
      for (let i = 0; i < 8; i++) {
        const session = await echo.polling().open();
        const poll = session.get();
        await session.post("3");
        const socket = websocket(`&sid=${session.sid}`);
        await socket.opened;
        socket.together("2probe", "5");
        assert.equal(await socket.next(), "3probe");
        assert.equal((await poll).text, "6");
        socket.send("4a");
        assert.equal(await socket.packet(), "4a");
        socket.close();
      }
    });

    it("after an upgrade neither polls nor a second WebSocket", async () => {
      const session = await echo.polling().open();
      const socket = websocket(`&sid=${session.sid}`);
      await socket.opened;
      socket.send("2probe");
      assert.equal(await socket.next(), "3probe");
      socket.send("5");
      socket.send("4a");
      assert.equal(await socket.packet(), "4a");
      assert.equal((await session.get()).status, 400);
      assert.equal((await session.post("4b")).status, 400);
      const second = websocket(`&sid=${session.sid}`);
      await second.opened;
      await second.closed;
      socket.send("4c");
      assert.equal(await socket.packet(), "4c");
      socket.close();
    });

    it("a probe that goes leaves the session as it was", async () => {
      const session = await echo.polling().open();
      const socket = websocket(`&sid=${session.sid}`);
      await socket.opened;
      socket.send("2probe");
      assert.equal(await socket.next(), "3probe");
      socket.ws.close();
      await socket.closed;
      await session.post("4still");
      assert.ok((await session.until((packet) => packet === "4still"))
        .includes("4still"));
    });

    for (const message of ["4early", "3", "2prob", "abc"]) {
      it(`a probe that says ${message} is closed`, async () => {
        const session = await echo.polling().open();
        const socket = websocket(`&sid=${session.sid}`);
        await socket.opened;
        socket.send(message);
        await socket.closed;
        await session.post("4still");
        assert.deepEqual(await session.until((packet) => packet === "4still"),
                         ["4still"]);
      });
    }

    it("an upgraded session without pongs ends", async () => {
      const session = await echo.polling().open();
      const socket = websocket(`&sid=${session.sid}`);
      await socket.opened;
      socket.send("2probe");
      await socket.next();
      socket.send("5");
      await socket.closed;
    });

    for (const transports of [["polling"], ["websocket"],
                              ["polling", "websocket"]]) {
      it(`the stock client, ${transports.join(" then ")}`, async () => {
        const client = new Socket(`http://127.0.0.1:${echo.port}`,
                                  { path: "/engine.io/", transports });
        const got = [];
        const all = new Promise((resolve, reject) => {
          client.on("close", reject);
          client.on("message", (data) => {
            got.push(typeof data === "string" ? data : Buffer.from(data).length);
            if (got.length === 200) resolve();
          });
        });
        for (let i = 0; i < 200; i++) {
          client.send(i % 10 === 9 ? Buffer.alloc(i) : `message ${i}`);
          if (i % 20 === 0) await milliseconds(5);
        }
        await all;
        assert.deepEqual(got, Array.from({ length: 200 },
          (_, i) => i % 10 === 9 ? i : `message ${i}`));
        if (transports.length === 2)
          assert.equal(client.transport.name, "websocket");
        client.removeAllListeners("close");
        client.close();
      });
    }

    // all at a time may take a busy machine longer than a ping's timeout of 200 ms
    it("a hundred sessions, twenty-five at a time", async () => {
      const one = async (i) => {
        const session = await echo.polling().open();
        await session.post(`4number ${i}`);
        return (await session.until((packet) => packet[0] === "4"))[0];
      };
      for (let first = 0; first < 100; first += 25) {
        const numbers = Array.from({ length: 25 }, (_, i) => first + i);
        assert.deepEqual(await Promise.all(numbers.map(one)), numbers.map((i) => `4number ${i}`));
      }
    });
  });
}
