// A WebSocket client of our own over a TCP socket: it sends any octets, shows
// every frame that comes and every refusal, and stops reading when told to.

import { createHash, randomBytes } from "node:crypto";
import net from "node:net";
import { constants, inflateRawSync } from "node:zlib";
import { until } from "./server.mjs";

export const CONTINUATION = 0;
export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

// a frame of a client; length: what is announced, if it is another
export function frame(opcode, payload = "", { fin = true, rsv = 0, mask = true,
                                              length, wide } = {}) {
  const body = Buffer.from(payload);
  const announced = BigInt(length ?? body.length);
  const kind = wide ?? (announced < 126n ? 0 : announced < 65536n ? 2 : 8);
  const size = Buffer.alloc(kind);

  if (kind === 2) size.writeUInt16BE(Number(announced));
  if (kind === 8) size.writeBigUInt64BE(announced);

  const head = Buffer.from([(fin ? 0x80 : 0) | (rsv << 4) | opcode,
    (mask ? 0x80 : 0) | (kind === 0 ? Number(announced) : kind === 2 ? 126 : 127)]);

  if (!mask) return Buffer.concat([head, size, body]);

  const key = randomBytes(4);
  for (let i = 0; i < body.length; i++) body[i] ^= key[i & 3];
  return Buffer.concat([head, size, key, body]);
}

export const text = (value, options) => frame(TEXT,
  typeof value === "string" || Buffer.isBuffer(value) ? value : JSON.stringify(value),
  options);

export const closing = (code, reason = "") => frame(CLOSE,
  Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]));

export class Raw {
  // who: a user, whose token it brings; more headers; local: an address
  constructor(server, who, { path = "/messaging/ws", query = "", headers = {},
                             local, method = "GET", version = "1.1",
                             upgrade = true, pong = true, answerClose = true,
                             parse = JSON.parse } = {}) {
    const { hostname, port } = new URL(server.url);
    const all = {
      host: `${hostname}:${port}`,
      ...(upgrade ? { upgrade: "websocket", connection: "Upgrade",
                      "sec-websocket-version": "13",
                      "sec-websocket-key": "AAECAwQFBgcICQoLDA0ODw==" }
        : { connection: "close" }),
      ...(who ? { authorization: `Bearer ${server.token(who)}` } : {}),
      ...headers,
    };

    this.options = { pong, answerClose, parse };
    this.key = all["sec-websocket-key"];
    this.frames = [];
    this.events = [];
    this.octets = 0;
    this.code = undefined;         // of the close frame that came
    this.ended = false;            // the connection has gone
    this.rest = Buffer.alloc(0);
    this.socket = net.connect({ host: hostname, port, localAddress: local, noDelay: true });
    this.socket.on("error", () => {});
    this.socket.on("data", (data) => this.#came(data));
    this.socket.on("end", () => this.#end());
    this.socket.on("close", () => this.#end());
    this.socket.write([`${method} ${path}${query} HTTP/${version}`,
      ...Object.entries(all).filter(([, value]) => value !== undefined)
        .map(([name, value]) => `${name}: ${value}`), "", ""].join("\r\n"));
    server.sockets.push(this);
  }

  #end() {
    this.ended = true;
    this.socket.destroy();
  }

  #came(data) {
    this.octets += data.length;
    this.rest = this.rest.length === 0 ? data : Buffer.concat([this.rest, data]);
    if (this.status === undefined && !this.#head()) return;
    if (this.status === 101) this.#take();
  }

  // the head of the answer; what follows a refusal stays in rest
  #head() {
    const end = this.rest.indexOf("\r\n\r\n");
    if (end < 0) return false;

    const [first, ...lines] = this.rest.subarray(0, end).toString().split("\r\n");
    this.rest = this.rest.subarray(end + 4);
    this.headers = Object.fromEntries(lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }));
    this.status = Number(first.split(" ")[1]);
    return true;
  }

  #take() {
    for (;;) {
      const { rest } = this;
      if (rest.length < 2) return;

      let length = rest[1] & 127;
      let start = 2;
      if (length === 126) {
        if (rest.length < 4) return;
        length = rest.readUInt16BE(2);
        start = 4;
      } else if (length === 127) {
        if (rest.length < 10) return;
        length = Number(rest.readBigUInt64BE(2));
        start = 10;
      }
      if (rest.length < start + length) return;

      this.rest = rest.subarray(start + length);
      this.#frame({ fin: rest[0] >> 7, rsv: (rest[0] >> 4) & 7, opcode: rest[0] & 15,
                    masked: rest[1] >> 7, payload: rest.subarray(start, start + length) });
    }
  }

  #frame(f) {
    this.frames.push(f);
    if (f.opcode === TEXT) {
      this.events.push(this.options.parse((f.rsv & 4) === 0 ? f.payload
        : inflateRawSync(Buffer.concat([f.payload, Buffer.from([0, 0, 255, 255])]),
                         { finishFlush: constants.Z_SYNC_FLUSH })));
    }
    if (f.opcode === PING && this.options.pong) this.send(frame(PONG, f.payload));
    if (f.opcode === CLOSE) {
      this.code = f.payload.length >= 2 ? f.payload.readUInt16BE(0) : 1005;
      if (this.options.answerClose) this.send(frame(CLOSE, f.payload));
    }
  }

  send(...buffers) {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(buffers));
  }

  say(event, data, id) { this.send(text({ event, data, id })); }

  async ask(event, data, id) {
    this.say(event, data, id);
    return (await this.next(({ ack }) => ack === id)).data;
  }

  // a frame that was or will be heard, by event's name or a condition
  async next(fits, ms = 10000) {
    const find = () => this.events.find(
      typeof fits === "string" ? ({ event }) => event === fits : fits);
    const last = () => JSON.stringify(this.events).slice(-400);

    await until(() => find() || this.ended, `${fits}`, ms).catch((error) => {
      throw new Error(`${error.message}; heard last: ${last()}`);
    });
    if (find()) return find();
    throw new Error(`ended (${this.status} ${this.code}) before ${fits}: ${last()}`);
  }

  all(name) {
    return this.events.filter(({ event }) => event === name).map(({ data }) => data);
  }

  // the newest offset that came
  get offset() {
    return this.events.findLast(({ offset }) => offset !== undefined)?.offset;
  }

  // the answer to the handshake: 101, or a refusal with all of its body
  async answered(ms = 10000) {
    await until(() => this.status !== undefined || this.ended, "an answer", ms);
    if (this.status === 101 || this.status === undefined) return this;

    const length = this.headers["content-length"];
    await until(() => this.ended || (length !== undefined
      && this.rest.length >= Number(length)), "a body", ms);
    this.body = this.rest.toString();
    return this;
  }

  get json() { return JSON.parse(this.body); }

  // opened, and all that the server says first was heard
  async connected() {
    await this.next("connected");
    return this;
  }

  async closed(ms = 10000) {
    await until(() => this.ended, `an end; status ${this.status}`, ms);
    return this.code;
  }

  accepted() {
    return createHash("sha1").update(this.key + GUID).digest("base64")
      === this.headers["sec-websocket-accept"];
  }

  pause() { this.socket.pause(); }

  resume() { this.socket.resume(); }

  // at once, without a word
  close() { this.socket.destroy(); }
}

// opened, and `connected` was heard
export const raw = (server, who, options) => new Raw(server, who, options).connected();

// what an Engine.IO packet of a server says, as the plain door's frames
export function packet(data) {
  const line = data.toString();
  const body = line.slice(line.indexOf(",") + 1);

  switch (line.slice(0, 2)) {
  case "40": return { accepted: JSON.parse(body) };
  case "42": {
    const [event, value, offset] = JSON.parse(body);
    return { event, data: value, offset };
  }
  default: return { packet: line };
  }
}

// the same by Socket.IO over a WebSocket: socket.pid after `connected`
export async function rawio(server, who, { auth = {}, ...options } = {}) {
  const socket = new Raw(server, null, { path: "/socket.io/",
    query: "?EIO=4&transport=websocket", parse: packet, ...options });

  await socket.next(({ packet: p }) => p?.startsWith("0"));
  socket.send(text(`40/messaging,${JSON.stringify({ token: server.token(who), ...auth })}`));
  socket.pid = (await socket.next(({ accepted }) => accepted)).accepted.pid;
  return socket.connected();
}
