// WebSockets over TLS, which has a buffer of its own between us and the
// socket: what a slow reader gets.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import WebSocket from "ws";
import { Echo, Frames, freePort, milliseconds } from "./lib/echo.mjs";

const MESSAGES = 6000;
const PADDING = "x".repeat(4000);

describe("WebSocket over TLS", { timeout: 60000 }, () => {
  let echo, port;
  const dir = mkdtempSync(path.join(tmpdir(), "mentara-tls-"));

  before(async () => {
    execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes",
      "-subj", "/CN=localhost", "-keyout", `${dir}/key.pem`,
      "-out", `${dir}/cert.pem`], { stdio: "ignore" });
    port = await freePort();
    echo = await Echo.start({ extra:
      `listen 127.0.0.1:${port} ssl sndbuf=16k; ` +
      `ssl_certificate ${dir}/cert.pem; ` +
      `ssl_certificate_key ${dir}/key.pem;` });
  });

  after(async () => {
    rmSync(dir, { recursive: true, force: true });
    assert.deepEqual(await echo.stop(), []);
  });

  it("sends each frame once to one that reads late", async () => {
    const socket = new Frames(`wss://127.0.0.1:${port}/ws-echo`,
                              { rejectUnauthorized: false });
    await socket.opened;
    socket.ws._socket.pause();

    for (let i = 0; i < MESSAGES; i++) socket.send(`${i} ${PADDING}`);

    await milliseconds(1000);
    socket.ws._socket.resume();

    for (let i = 0; i < MESSAGES; i++) {
      assert.equal((await socket.next())?.slice(0, 8), `${i} ${PADDING}`.slice(0, 8));
    }

    socket.close();
  });

  // the server closes for what is no packet while its buffer of TLS is full, and the
  // client's own close comes before it has room again
  it("sends its close to one that reads late and closes itself", async () => {
    const lost = [];

    for (let messages = 8; messages <= 60; messages++) {
      const ws = new WebSocket(
        `wss://127.0.0.1:${port}/engine.io/?EIO=4&transport=websocket`,
        { rejectUnauthorized: false });
      const closed = once(ws, "close");

      await once(ws, "open");
      ws._socket.pause();
      for (let i = 0; i < messages; i++) ws.send(`4${PADDING}`);
      await milliseconds(20);
      for (let i = 0; i < 3; i++) ws.send(`4${PADDING}`);
      ws.send("9");
      await milliseconds(30);
      ws.close(1000);
      await milliseconds(20);
      ws._socket.resume();

      const [code] = await closed;
      if (code === 1006) lost.push(messages);
    }

    assert.deepEqual(lost, []);
  });
});
