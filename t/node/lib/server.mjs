// A real nginx with the module and a real Postgres, as the Perl tests have
// them (t/lib/serve.pl), and clients for them.

import { spawn, execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { createInterface } from "node:readline";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { io } from "socket.io-client";
import WebSocket from "ws";
import { answerMistakes, mistakes } from "./judge.mjs";

const top = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");
const base64 = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// waits for a condition; what: for the error
export async function until(condition, what, ms = 10000) {
  const end = Date.now() + ms;

  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await sleep(20);
  }
}

// one HTTP request on a connection of its own: any worker may answer, and
// none that is leaving is asked
export async function answer(url, options, body) {
  const call = request(url, { ...options, agent: false });

  call.end(body);
  const [response] = await once(call, "response");
  let text = "";
  for await (const part of response.setEncoding("utf8")) text += part;
  return { status: response.statusCode, headers: new Headers(response.headers), text };
}

export class Server {
  // options of server() in t/lib/Mentara/Test.pm: workers, directives, limits,
  // locations, zone
  static async start(options = {}) {
    const server = new Server();

    server.words = new Set();
    server.sockets = [];
    server.answers = [];
    server.mistakes = [];
    server.child = spawn("perl", ["t/lib/serve.pl", JSON.stringify(options)],
      { cwd: top, stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: server.child.stdout }).on("line", (line) =>
      server.answers.shift()(JSON.parse(line)));
    server.child.on("exit", () => {
      for (const resolve of server.answers) resolve({ error: "it has gone" });
    });

    const ready = await new Promise((resolve) => server.answers.push(resolve));
    if (ready.error) throw new Error(ready.error);
    return Object.assign(server, ready);
  }

  // a command of t/lib/serve.pl
  async do(op, more = {}) {
    this.child.stdin.write(`${JSON.stringify({ op, ...more })}\n`);
    const answer = await new Promise((resolve) => this.answers.push(resolve));
    if (answer.error) throw new Error(answer.error);
    return answer.value;
  }

  // rows of text
  sql(text) { return this.do("sql", { sql: text }); }

  workers() {
    const master = readFileSync(`${this.dir}/nginx.pid`, "utf8").trim();
    return execFileSync("pgrep", ["-P", master], { encoding: "utf8" })
      .trim().split("\n").map(Number);
  }

  token(sub, claims = {}) {
    const text = `${base64({ alg: "HS256", typ: "JWT" })}.${base64({
      sub, exp: Math.floor(Date.now() / 1000) + 3600, ...claims })}`;
    const mac = createHmac("sha256", this.secret).update(text).digest("base64url");
    return `${text}.${mac}`;
  }

  // REST: { status, json, text, headers }
  async call(who, method, url, body, headers = {}) {
    if (typeof body?.content === "string" && body.content.length > 12) {
      this.words.add(body.content);
    }

    const { status, headers: answered, text } = await answer(`${this.url}/messaging${url}`, {
      method,
      headers: {
        ...(who ? { authorization: `Bearer ${this.token(who)}` } : {}),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
    }, body === undefined ? undefined : JSON.stringify(body));

    return { status, text, headers: answered, json: text ? JSON.parse(text) : undefined };
  }

  // ids of conversations
  async direct(a, b) {
    return (await this.call(a, "POST", "/conversations", { participantIds: [b] })).json.id;
  }

  async group(a, ...others) {
    return (await this.call(a, "POST", "/conversations",
      { type: "GROUP", title: "Circle", participantIds: others })).json.id;
  }

  // a message said by REST
  async said(who, conversation, content) {
    const { status, json, text } = await this.call(who, "POST",
      `/conversations/${conversation}/messages`, { content });
    if (status !== 201) throw new Error(`${status} ${text}`);
    return Object.defineProperty(json, "text", { value: text });
  }

  // a stock client that keeps what it hears: client.events holds { event,
  // data, offset }
  client(who, options = {}) {
    const { auth, ...more } = options;
    const socket = io(`${this.url}/messaging`, {
      forceNew: true, transports: ["websocket"], reconnectionDelay: 50,
      reconnectionDelayMax: 500,
      auth: { token: who && this.token(who), ...auth }, ...more });

    return Object.assign(this.heard(socket), { who });
  }

  heard(socket) {
    socket.events = [];
    socket.onAny((event, data, offset) => {
      socket.events.push({ event, data, offset });
      this.mistakes.push(...mistakes(event, data, offset));
    });
    socket.all = (name) => socket.events.filter(({ event }) => event === name)
      .map(({ data }) => data);
    // the next event of a name, past or to come, that fits
    socket.next = (name, fits = () => true, ms = 10000) => until(
      () => socket.all(name).find(fits), `${name} of ${socket.id}`, ms);
    socket.ask = async (name, ...data) => {
      const answer = await socket.timeout(10000).emitWithAck(name, ...data);
      this.mistakes.push(...answerMistakes(answer));
      return answer;
    };
    this.sockets.push(socket);
    return socket;
  }

  // the same, connected: its `connected` was heard
  async connected(who, options) {
    const socket = this.client(who, options);
    await socket.next("connected");
    return socket;
  }

  // waits until these clients have heard all that was sent to them so far: an
  // event that comes after it, by a conversation that no test looks at
  async settled(...clients) {
    for (const who of new Set(clients.map((client) => client.who))) {
      const id = await this.direct(who, who === "kai" ? "sol" : "kai");
      const last = await this.said(who, id, "so far");
      await Promise.all(clients.filter((client) => client.who === who).map(
        (client) => client.next("new_message", (m) => m.id === last.id)));
    }
  }

  // a plain WebSocket at /messaging/ws; frames: what came, parsed
  plain(who, { query = "", headers = {}, ...options } = {}) {
    const ws = new WebSocket(
      `${this.url.replace("http", "ws")}/messaging/ws${query}`,
      { headers: { ...(who ? { authorization: `Bearer ${this.token(who)}` } : {}),
                   ...headers }, ...options });

    ws.frames = [];
    ws.on("error", () => {});
    ws.on("unexpected-response", (request, response) => {
      ws.status = response.statusCode;
      ws.answer = response;
      request.destroy();
    });
    ws.on("message", (data) => ws.frames.push(JSON.parse(data)));
    ws.on("close", (code) => { ws.code = code; });
    ws.next = (fits, ms = 10000) => until(() => ws.frames.find(
      typeof fits === "string" ? ({ event }) => event === fits : fits),
      `a frame of ${who}`, ms);
    ws.say = (event, data, id) => ws.send(JSON.stringify({ event, data, id }));
    ws.ask = async (event, data, id) => {
      ws.say(event, data, id);
      return (await ws.next(({ ack }) => ack === id)).data;
    };
    this.sockets.push(ws);
    return ws;
  }

  // ends the clients of a test
  hangUp() {
    for (const socket of this.sockets.splice(0)) socket.close?.() ?? socket.disconnect?.();
  }

  // ends all of it; what an operator would be alarmed by and what no client
  // should have heard, or [] for nothing
  async stop() {
    this.hangUp();
    const faults = await this.do("finish", { words: [...this.words] });
    this.child.stdin.end();
    if (this.child.exitCode === null) await once(this.child, "exit");
    return [...faults, ...new Set(this.mistakes)];
  }
}
