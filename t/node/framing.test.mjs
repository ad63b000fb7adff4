// Raw octets against /messaging/ws: frames cut anywhere, every first octet,
// lengths that lie, bombs, and noise.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, describe, it } from "node:test";
import { constants, deflateRawSync } from "node:zlib";
import { Server, until } from "./lib/server.mjs";
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, closing, frame, raw,
         text } from "./lib/raw.mjs";

const ASAN = process.env.MENTARA_BUILD === "asan";   // keeps what was freed
const MIB = 1024 * 1024;
const OFFER = { path: "/deflate/ws",
                headers: { "sec-websocket-extensions": "permessage-deflate" } };

const deflated = (value) => deflateRawSync(value,
  { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);

const memory = (pid) => 1024 * Number(/^RssAnon:\s+(\d+) kB$/m.exec(
  readFileSync(`/proc/${pid}/status`, "utf8"))[1]);

// runs jobs, some at a time
async function some(jobs, width = 32) {
  let next = 0;
  await Promise.all(Array.from({ length: width }, async () => {
    while (next < jobs.length) await jobs[next++]();
  }));
}

// octets in writes of their own
async function apart(socket, ...parts) {
  for (const part of parts) {
    await new Promise((resolve) => socket.socket.write(part, resolve));
    await new Promise(setImmediate);
  }
}

describe("framing", { timeout: 120000 }, () => {
  let server, id, pid;

  before(async () => {
    server = await Server.start({ workers: 1,
      directives: "mentara_user_sockets 1000;",
      locations: "location = /deflate/ws { mentara_websocket; mentara_deflate on; }\n" });
    id = await server.direct("mia", "ana");
    [pid] = server.workers();
  });
  afterEach(() => { for (const socket of server.sockets.splice(0)) socket.close(); });
  after(async () => assert.deepEqual(await server.stop(), []));

  const joining = (n, more = "") => JSON.stringify({ event: "join_conversation",
    data: { conversationId: id }, id: n, more });

  const lives = async (socket, n = 999) => {
    socket.send(text(joining(n)));
    assert.deepEqual((await socket.next(({ ack }) => ack === n)).data, { success: true });
  };

  for (const [what, more] of [["short", ""], ["of 16-bit length", "m".repeat(200)]]) {
    it(`frames ${what}, cut in two at every octet`, async () => {
      const socket = await raw(server, "mia");
      const length = text(joining(1000, more)).length;
      for (let cut = 1; cut < length; cut++) {
        const whole = text(joining(1000 + cut, more));
        await apart(socket, whole.subarray(0, cut), whole.subarray(cut));
      }
      await socket.next(({ ack }) => ack === 1000 + length - 1);
      assert.deepEqual(socket.events.map(({ ack }) => ack).filter((ack) => ack),
                       Array.from({ length: length - 1 }, (_, i) => 1001 + i));
    });
  }

  it("frames that come octet by octet, a ping between fragments among them", async () => {
    const socket = await raw(server, "mia");
    const whole = Buffer.from(joining(1, "\u{1f600}"));
    const octets = Buffer.concat([text(whole.subarray(0, 20), { fin: false }),
      frame(PING, "here"), frame(CONTINUATION, whole.subarray(20, 30), { fin: false }),
      frame(CONTINUATION, whole.subarray(30)), closing(1000, "bye")]);
    for (const octet of octets) await apart(socket, Buffer.from([octet]));
    assert.equal(await socket.closed(), 1000);
    assert.deepEqual(socket.frames.filter(({ opcode }) => opcode !== TEXT)
      .map(({ opcode, payload }) => [opcode, opcode === PONG && payload.toString()]),
    [[PONG, "here"], [CLOSE, false]]);
    assert.deepEqual(socket.events.find(({ ack }) => ack === 1).data, { success: true });
  });

  it("many frames in one write are answered in order", async () => {
    const socket = await raw(server, "mia");
    socket.send(...Array.from({ length: 500 }, (_, i) => text(joining(i))));
    await socket.next(({ ack }) => ack === 499);
    assert.deepEqual(socket.events.map(({ ack }) => ack).filter((ack) => ack !== undefined),
                     Array.from({ length: 500 }, (_, i) => i));
  });

  for (const deflate of [false, true]) {
    it(`every first octet, deflate ${deflate ? "on" : "off"}`, async () => {
      const known = [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG];

      await some(Array.from({ length: 256 }, (_, first) => async () => {
        const fin = first >> 7 === 1;
        const rsv = (first >> 4) & 7;
        const opcode = first & 15;
        const compressed = deflate && rsv === 4 && (opcode === TEXT || opcode === BINARY);
        const plain = opcode === CLOSE ? Buffer.from([3, 232])
          : Buffer.from(opcode === TEXT ? joining(5) : "data");
        const socket = await raw(server, "mia", deflate ? OFFER : {});
        const name = `0x${first.toString(16)}`;

        socket.send(frame(opcode, compressed ? deflated(plain) : plain, { fin, rsv }));

        if (!known.includes(opcode) || (rsv !== 0 && !compressed)
            || (opcode >= CLOSE && !fin) || opcode === CONTINUATION) {
          assert.equal(await socket.closed(), 1002, name);
        } else if (opcode === TEXT || opcode === BINARY) {
          if (!fin) {
            assert.equal(socket.events.some(({ ack }) => ack === 5), false);
            socket.send(frame(CONTINUATION, ""));
          }
          if (opcode === BINARY) {
            assert.equal(await socket.closed(), 1003, name);
          } else {
            assert.deepEqual((await socket.next(({ ack }) => ack === 5)).data,
                             { success: true }, name);
          }
        } else if (opcode === CLOSE) {
          assert.equal(await socket.closed(), 1000, name);
        } else {
          await lives(socket);
          assert.equal(socket.frames.filter((f) => f.opcode === PONG).length,
                       opcode === PING ? 1 : 0, name);
        }
        socket.close();
      }));
    });
  }

  it("a new message inside a fragmented one, a continuation after its end: 1002", async () => {
    for (const octets of [[text("{", { fin: false }), text("{}")],
                          [text("{", { fin: false }), frame(BINARY, "x")],
                          [text(joining(1)), frame(CONTINUATION, "x")],
                          [text("{", { fin: false }), frame(CONTINUATION, "x", { rsv: 4 })]]) {
      const socket = await raw(server, "mia");
      socket.send(...octets);
      assert.equal(await socket.closed(), 1002);
    }
  });

  for (const [what, octets, code] of [
    ["a short length in 16 bits", text("x".repeat(100), { wide: 2 }), 1002],
    ["a short length in 64 bits", text("x".repeat(100), { wide: 8 }), 1002],
    ["a middling length in 64 bits", text("x".repeat(1000), { wide: 8 }), 1002],
    ["the top bit of 64", text("", { length: 2n ** 63n, wide: 8 }), 1002],
    ["a ping of 126", frame(PING, "x".repeat(126)), 1002],
    ["a close of 126", frame(CLOSE, "\u0003\u00e8".padEnd(126, "x")), 1002],
    ["1 GiB announced", text("", { length: 2 ** 30 }), 1009],
    ["2^63 - 1 announced", text("", { length: 2n ** 63n - 1n, wide: 8 }), 1009],
    ["1 MB and one announced", text("", { length: 1000001 }), 1009],
  ]) {
    it(`${what}: ${code}, without waiting for more`, async () => {
      for (const options of [{}, OFFER]) {
        const socket = await raw(server, "mia", options);
        const begun = memory(pid);
        socket.send(octets);
        assert.equal(await socket.closed(2000), code);
        if (!ASAN) assert.ok(memory(pid) - begun < MIB);
      }
    });
  }

  it("1 MB announced by many takes no memory before it comes", async () => {
    const sockets = await Promise.all(Array.from({ length: 100 }, () => raw(server, "mia")));
    const begun = memory(pid);
    for (const socket of sockets) {
      socket.send(text('{"event":"', { length: 1000000 }));
    }
    await Promise.all((await Promise.all(Array.from({ length: 5 }, () => raw(server, "ana"))))
      .map((socket) => lives(socket)));
    if (!ASAN) assert.ok(memory(pid) - begun < 4 * MIB, `${memory(pid) - begun}`);
    assert.ok(sockets.every(({ ended }) => !ended));
  });

  it("100,000 empty fragments are one message, and little memory", async () => {
    const socket = await raw(server, "mia");
    const begun = memory(pid);
    socket.send(text(joining(3), { fin: false }),
                ...Array.from({ length: 100000 }, () => frame(CONTINUATION, "", { fin: false })),
                frame(CONTINUATION, ""));
    assert.deepEqual((await socket.next(({ ack }) => ack === 3)).data, { success: true });
    if (!ASAN) assert.ok(memory(pid) - begun < 2 * MIB, `${memory(pid) - begun}`);
  });

  it("S10: a bomb of 256 MiB in 256 kB closes 1009 and takes no memory", async () => {
    const bomb = deflated(Buffer.alloc(256 * MIB, " "));
    assert.ok(bomb.length < 300000);
    const begun = memory(pid);
    let most = 0;

    await some(Array.from({ length: 20 }, (_, i) => async () => {
      const socket = await raw(server, "mia", OFFER);
      if (i % 2 === 0) {
        socket.send(frame(TEXT, bomb, { rsv: 4 }));
      } else {
        socket.send(frame(TEXT, bomb.subarray(0, 10), { rsv: 4, fin: false }));
        for (let at = 10; at < bomb.length; at += 5000) {
          socket.send(frame(CONTINUATION, bomb.subarray(at, at + 5000),
                            { fin: at + 5000 >= bomb.length }));
        }
      }
      const watch = setInterval(() => { most = Math.max(most, memory(pid)); }, 5);
      assert.equal(await socket.closed(), 1009);
      clearInterval(watch);
    }), 5);

    // each may hold one message and a window of 32 kB
    if (!ASAN) assert.ok(most - begun < 5 * 2 * MIB, `${most - begun} octets more`);
  });

  it("compressed: at mentara_max_payload it passes, one more is 1009", async () => {
    const socket = await raw(server, "mia", OFFER);
    const fit = joining(1).slice(0, -2);
    socket.send(frame(TEXT, deflated(`${fit}${" ".repeat(1000000 - fit.length - 2)}"}`), { rsv: 4 }));
    assert.deepEqual((await socket.next(({ ack }) => ack === 1)).data, { success: true });
    socket.send(frame(TEXT, deflated(" ".repeat(1000001)), { rsv: 4 }));
    assert.equal(await socket.closed(), 1009);
  });

  it("compressed: messages of many at a time take nothing from each other", async () => {
    const message = deflated(joining(1));
    const other = await raw(server, "mia");
    const sockets = await Promise.all(Array.from({ length: 4 }, () => raw(server, "mia", OFFER)));
    for (const [i, socket] of sockets.entries()) {
      socket.send(frame(TEXT, message.subarray(0, 1), { rsv: 4, fin: false }));
      await lives(other, i);
    }
    for (const socket of sockets) {
      socket.send(frame(CONTINUATION, message.subarray(1)));
      assert.deepEqual((await socket.next(({ ack }) => ack === 1)).data, { success: true });
    }
  });

  it("compressed octets that are none, or bad UTF-8 in them: 1007 or 1002", async () => {
    for (const [octets, codes] of [[Buffer.from([0xff, 0xff, 0xff]), [1002, 1007]],
                                   [deflated(Buffer.from([0xff, 0xfe])), [1007]],
                                   [deflated(Buffer.from([0xe2, 0x82])), [1007]],
                                   [Buffer.alloc(0), [1002, 1007, undefined]]]) {
      const socket = await raw(server, "mia", OFFER);
      socket.send(frame(TEXT, octets, { rsv: 4 }));
      await until(() => socket.ended || socket.all("error").length > 0, "an answer");
      assert.ok(codes.includes(socket.code), `${socket.code}`);
    }
  });

  it("noise ends what sends it, nobody else", async () => {
    const alive = await raw(server, "ana");
    const seed = process.hrtime()[1] | 1;
    let state = seed;
    const random = () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state >>> 0;
    };

    await some(Array.from({ length: 300 }, (_, i) => async () => {
      const socket = await raw(server, "mia", i % 2 ? OFFER : {});
      const octets = Buffer.from(Array.from({ length: 1 + random() % 3000 }, () => random() & 255));
      if (i % 3 === 0) {
        octets[0] = 0x81 | (i % 2 ? 0x40 : 0);
        octets[1] |= 0x80;
      }
      socket.send(octets, closing(1000));
      socket.socket.end();
      await until(() => socket.ended, `an end, seed ${seed}`);
      assert.ok([undefined, 1000, 1002, 1003, 1005, 1007, 1009].includes(socket.code),
                `${socket.code}, seed ${seed}`);
    }));

    await lives(alive);
    assert.equal(alive.ended, false);
  });
});
