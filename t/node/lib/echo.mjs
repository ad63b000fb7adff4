// An instance of the echo module, and small clients that show every octet.

import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, chmodSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import WebSocket from "ws";

const top = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");

export async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

export class Echo {
  static async start({ workers = 1, deflate = "off", reuseport = "", extra = "" } = {}) {
    const echo = new Echo();
    echo.dir = mkdtempSync(path.join(tmpdir(), "mentara-echo-"));
    chmodSync(echo.dir, 0o755);
    echo.port = await freePort();
    await promisify(execFile)(path.join(top, "tools/echo"), {
      env: { ...process.env, PORT: echo.port, RUN_DIR: echo.dir,
             WORKERS: workers, DEFLATE: deflate, REUSEPORT: reuseport,
             EXTRA: extra },
    });
    return echo;
  }

  get pid() {
    return Number(readFileSync(path.join(this.dir, "echo.pid"), "utf8"));
  }

  workers() {
    return execFileSync("pgrep", ["-P", String(this.pid)], { encoding: "utf8" })
      .trim().split("\n").map(Number);
  }

  log() {
    return readFileSync(path.join(this.dir, "echo.log"), "utf8");
  }

  // ends it; what an operator would have been alarmed by
  async stop() {
    await promisify(execFile)(path.join(top, "tools/stop"), {
      env: { ...process.env, RUN_DIR: this.dir },
    });
    const alarms = this.log().split("\n")
      .filter((line) => /\[(alert|emerg|crit)\]|Sanitizer/.test(line));
    rmSync(this.dir, { recursive: true, force: true });
    return alarms;
  }

  // a request on a connection of its own
  request(method, url, { body, headers = {} } = {}) {
    return new Promise((resolve, reject) => {
      const request = http.request(
        { host: "127.0.0.1", port: this.port, method, path: url, agent: false,
          headers: { connection: "close", ...headers } },
        (response) => {
          const chunks = [];
          response.on("data", (chunk) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => resolve({
            status: response.statusCode, headers: response.headers,
            text: Buffer.concat(chunks).toString() }));
        });
      request.on("error", reject);
      request.end(body);
    });
  }

  // requests, [head, body] each, and one for / that ends it, in one write over
  // one connection: statuses
  async pipelined(...requests) {
    const socket = net.connect(this.port, "127.0.0.1");
    let answers = "";
    socket.setEncoding("latin1").on("data", (data) => { answers += data; });
    socket.on("error", () => {});
    socket.write(requests.map(([head, body = ""]) => `${head} HTTP/1.1\r\nHost: a\r\n`
      + `Content-Length: ${body.length}\r\n\r\n${body}`).join(""));
    socket.write("GET / HTTP/1.0\r\n\r\n");
    await once(socket, "close");
    return [...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
  }

  polling(url = "/engine.io/") {
    return new Polling(this, url);
  }

  socket(url) {
    return new Frames(`ws://127.0.0.1:${this.port}${url}`);
  }
}

// an Engine.IO session by polling, packet by packet
export class Polling {
  constructor(echo, url) {
    this.echo = echo;
    this.url = `${url}?EIO=4&transport=polling`;
  }

  async open() {
    const { status, text } = await this.echo.request("GET", this.url);
    if (status !== 200) throw new Error(`handshake: ${status} ${text}`);
    this.handshake = JSON.parse(text.slice(1));
    this.sid = this.handshake.sid;
    return this;
  }

  get(sid = this.sid) {
    return this.echo.request("GET", `${this.url}&sid=${sid}`);
  }

  post(body, headers = { "content-type": "text/plain;charset=UTF-8" }) {
    return this.echo.request("POST", `${this.url}&sid=${this.sid}`,
                             { body, headers });
  }

  // packets until one fits; pings are answered on the way
  async until(fits) {
    for (;;) {
      const { status, text } = await this.get();
      if (status !== 200) throw new Error(`poll: ${status} ${text}`);
      const packets = text.split("\x1e");
      if (packets.includes("2")) await this.post("3");
      const rest = packets.filter((packet) => packet !== "2");
      if (rest.some(fits)) return rest;
    }
  }
}

// a WebSocket whose messages can be awaited one by one
export class Frames {
  constructor(url, options) {
    this.ws = new WebSocket(url, options);
    this.queue = [];
    this.waiting = [];
    this.ws.on("message", (data, binary) =>
      this.#push(binary ? data : data.toString()));
    this.closed = new Promise((resolve) => {
      this.ws.on("error", () => {});
      this.ws.on("close", (code) => {
        resolve(code);
        this.#push(null);
      });
    });
    this.opened = new Promise((resolve, reject) => {
      this.ws.on("open", resolve);
      this.ws.on("unexpected-response", (request, response) => {
        response.resume();
        reject(new Error(String(response.statusCode)));
      });
      this.ws.on("error", reject);
    });
    this.opened.catch(() => {});
  }

  #push(message) {
    const waiter = this.waiting.shift();
    if (waiter) waiter(message);
    else this.queue.push(message);
  }

  // null: it was closed
  next() {
    if (this.queue.length > 0) return Promise.resolve(this.queue.shift());
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  // the next one that is no ping
  async packet() {
    for (;;) {
      const message = await this.next();
      if (message !== "2") return message;
      this.send("3");
    }
  }

  // frames in one write
  together(...all) {
    this.ws._socket.cork();
    for (const data of all) this.ws.send(data);
    this.ws._socket.uncork();
  }

  send(data) {
    this.ws.send(data);
  }

  close() {
    this.ws.terminate();
  }
}

export const milliseconds = (n) => new Promise((resolve) => setTimeout(resolve, n));
