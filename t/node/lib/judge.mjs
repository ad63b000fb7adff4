// Judges what a client hears by docs/asyncapi.yaml, and by what the realtime
// contract says of every event: a durable one has an offset and ends in its
// eventSeq, an ephemeral one has none.

import { faults, messages } from "../events.mjs";

const names = (tag) => new Set(messages.filter((m) => m.tag === tag).map(({ name }) => name));

export const DURABLE = names("durable");
const ALONE = new Set(["new_message", "user_blocked", "user_unblocked"]);

// what is wrong with an event: text, or nothing
export function mistakes(event, data, offset) {
  const durable = DURABLE.has(event);
  const found = faults(durable ? "durable" : "ephemeral", event, data);

  if ((typeof offset === "string") !== (durable || event === "connected")) {
    found.push(`offset ${offset}`);
  }
  if (durable && !ALONE.has(event) && Object.keys(data).at(-1) !== "eventSeq") {
    found.push("eventSeq is not last");
  }
  return found.map((text) => `${event}: ${text}`);
}

export const answerMistakes = (data) =>
  faults("ack", "ack", data).map((text) => `ack: ${text} in ${JSON.stringify(data)}`);
