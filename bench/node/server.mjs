// The same events on a stock Socket.IO server, in one process.  It has no
// database: people and their conversations come from a file, a message is
// relayed and not kept, so whatever is measured here costs less than it would
// in a server that does the module's work.
//
//   node server.mjs PORT KEY.pem MEMBERS

import { createServer } from "node:http";
import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { Server } from "socket.io";

const [port, pem, members] = process.argv.slice(2);
const key = createPublicKey(readFileSync(pem));
const rooms = new Map();

for (const line of readFileSync(members, "utf8").trim().split("\n")) {
  const [user, ...conversations] = line.split(" ");
  rooms.set(user, conversations);
}

function claims(token) {
  const [head, body, signature] = token.split(".");
  const good = verify("sha256", Buffer.from(`${head}.${body}`), key,
                      Buffer.from(signature, "base64url"));
  const json = JSON.parse(Buffer.from(body, "base64url").toString());

  if (!good || json.exp < Date.now() / 1000 || !rooms.has(json.sub)) {
    throw new Error("token_invalid");
  }

  return json;
}

const http = createServer();
const io = new Server(http, { transports: ["websocket"], serveClient: false });
const messaging = io.of("/messaging");
let seq = 0;

messaging.use((socket, next) => {
  try {
    socket.data.user = claims(socket.handshake.auth.token).sub;
    next();
  } catch (e) {
    next(e);
  }
});

messaging.on("connection", (socket) => {
  const userId = socket.data.user;

  socket.join(rooms.get(userId));

  socket.on("typing_indicator", ({ conversationId, isTyping }) => {
    if (socket.rooms.has(conversationId)) {
      socket.to(conversationId).emit("typing_indicator",
                                     { conversationId, userId, isTyping });
    }
  });

  socket.on("send_message", ({ conversationId, content }) => {
    if (socket.rooms.has(conversationId)) {
      messaging.to(conversationId).emit("new_message", {
        id: String(++seq), conversationId, senderId: userId, content,
        createdAt: new Date().toISOString(),
      });
    }
  });

  socket.emit("connected", { userId, timestamp: new Date().toISOString(),
                             recovered: false, user: { id: userId } });
});

http.listen(Number(port), "127.0.0.1", () => console.log("listening"));
