// Stock socket.io-client over both transports, with one worker and with four.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { faults } from "./events.mjs";
import { Server, sleep, until } from "./lib/server.mjs";

const TRANSPORTS = [["websocket"], ["polling"], ["polling", "websocket"]];

for (const workers of [1, 4]) {
  describe(`Socket.IO, ${workers} worker(s)`, { timeout: 120000 }, () => {
    let server;

    before(async () => { server = await Server.start({ workers }); });
    after(async () => assert.deepEqual(await server.stop(), []));

    for (const transports of TRANSPORTS) {
      it(`b18: connects by ${transports.join(" and ")} and hears of a message`, async () => {
        const id = await server.direct("mia", "ana");
        const ana = await server.connected("ana", { transports });
        const message = await server.said("mia", id, "by REST to a socket");
        const heard = await ana.next("new_message", (m) => m.id === message.id);
        assert.equal(JSON.stringify(heard), message.text);
        ana.disconnect();
      });
    }
  });
}
