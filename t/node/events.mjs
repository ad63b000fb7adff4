// Judges live events by docs/asyncapi.yaml.  As a module: faults(tag, event,
// data), where tag is client, durable, ephemeral or ack.  As a program it
// judges the document's own examples, or, with -, JSON lines
// {"tag", "event", "data"}, each answered by {"faults":[text]}.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

const docs = new URL('../../docs/', import.meta.url);
const read = (name) => parse(readFileSync(new URL(name, docs), 'utf8'));
const api = read('asyncapi.yaml');
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema(read('openapi.yaml'), 'mentara:/openapi.yaml');
ajv.addSchema(api, 'mentara:/asyncapi.yaml');

const tagOf = (message) => message.tags[0].$ref.split('/').pop();

export const messages = Object.entries(api.components.messages)
  .map(([key, message]) => ({
    key,
    name: message.name,
    tag: tagOf(message),
    examples: message.examples ?? [],
    judge: ajv.compile({
      $ref: `mentara:/asyncapi.yaml#/components/messages/${key}/payload`,
    }),
  }));

function failures({ judge }, data) {
  return judge(data) ? [] : judge.errors.map(
    (e) => `${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`);
}

// what is wrong with the data of an event; an ack's fits one of its kinds
export function faults(tag, event, data) {
  const kinds = messages.filter((m) => m.tag === tag && m.name === event);
  const all = kinds.map((kind) => failures(kind, data));

  if (all.length === 0) {
    return [`no ${tag} event ${event} is described`];
  }

  return all.find((list) => list.length === 0) ?? all[0];
}

function judgeExamples() {
  let failed = 0;

  for (const message of messages) {
    for (const { payload } of message.examples) {
      for (const fault of failures(message, payload)) {
        console.log(`${message.key}: ${fault}`);
        failed = 1;
      }
    }
  }

  return failed;
}

async function judgeLines() {
  for await (const line of createInterface({ input: process.stdin })) {
    const { tag, event, data } = JSON.parse(line);

    process.stdout.write(
      `${JSON.stringify({ faults: faults(tag, event, data) })}\n`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === '-') {
    await judgeLines();
  } else {
    process.exitCode = judgeExamples();
  }
}
