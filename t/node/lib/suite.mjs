// Each suite with one nginx worker and with four, on a server of its own.

import assert from "node:assert/strict";
import { after, afterEach, before, describe } from "node:test";
import { Server } from "./server.mjs";

// name; options of Server.start(); tests: a function that says them, given a
// box whose server is there as soon as they run
export function suite(name, options, tests) {
  for (const workers of [1, 4]) {
    describe(`${name}, ${workers} worker(s)`, { timeout: 240000 }, () => {
      const box = {};

      before(async () => { box.server = await Server.start({ workers, ...options }); });
      afterEach(() => box.server.hangUp());
      after(async () => assert.deepEqual(await box.server.stop(), []));
      tests(box);
    });
  }
}
