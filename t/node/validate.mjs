// Judges answers by docs/openapi.yaml.  Reads JSON lines, writes one for each:
//   {"list":true}  ->  {"operations":[{id, method, path, statuses, secured,
//                                     parameters, body}],
//                       "others":[{path, methods}], "codes":[code]}
//     parameters: [{name, in, required, schema}]; body: null, or
//     {required, needed:[name], fields:{name: schema}}
//   {"id", "status", "headers":{name: value}, "body", "request"?}
//     ->  {"faults":[text]}; "request": a body that was accepted.
//   {"path", "others":true, "status", "headers", "body"}  likewise, for a
//     method that the path does not have
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

const METHODS = ['get', 'put', 'post', 'patch', 'delete'];

// what every server may add to an answer
const ORDINARY = new Set(['server', 'date', 'content-type', 'content-length',
  'connection', 'keep-alive', 'transfer-encoding', 'vary']);

const api = parse(readFileSync(process.argv[2], 'utf8'));
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: true });
addFormats(ajv);
ajv.addSchema(api, 'api');

function at(pointer) {
  return pointer.slice(2).split('/')
    .map((s) => s.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((node, key) => node[key], api);
}

// follows a reference: [what is there, where that is]
function follow(pointer) {
  const node = at(pointer);

  return node.$ref === undefined ? [node, pointer] : follow(node.$ref);
}

const step = (key) => key.replaceAll('~', '~0').replaceAll('/', '~1');

// a schema without references, its parts merged
function resolve(schema) {
  const [node] = schema.$ref ? follow(schema.$ref) : [schema];
  const whole = { ...node };

  for (const part of node.allOf ?? []) {
    const { properties = {}, required = [], ...rest } = resolve(part);

    Object.assign(whole, { ...rest, ...whole });
    whole.properties = { ...properties, ...whole.properties };
    whole.required = [...required, ...whole.required ?? []];
  }

  delete whole.allOf;

  if (whole.items) {
    whole.items = resolve(whole.items);
  }

  return whole;
}

function parametersOf(item, operation) {
  return [...item.parameters ?? [], ...operation.parameters ?? []]
    .map((one) => (one.$ref ? follow(one.$ref)[0] : one))
    .map(({ name, in: where, required = false, schema }) => (
      { name, in: where, required, schema: resolve(schema) }));
}

function bodyOf({ requestBody }) {
  if (requestBody === undefined) {
    return null;
  }

  const [body] = requestBody.$ref ? follow(requestBody.$ref) : [requestBody];
  const schema = resolve(body.content['application/json'].schema);
  const fields = Object.entries(schema.properties ?? {})
    .map(([name, one]) => [name, resolve(one)]);

  return {
    required: body.required ?? false,
    needed: schema.required ?? [],
    fields: Object.fromEntries(fields),
  };
}

const operations = new Map();

for (const [path, item] of Object.entries(api.paths)) {
  for (const method of METHODS.filter((m) => item[m])) {
    const pointer = `#/paths/${step(path)}/${method}`;
    const { operationId: id, responses, security } = item[method];

    operations.set(id, {
      id,
      method: method.toUpperCase(),
      path,
      pointer,
      statuses: Object.keys(responses).map(Number),
      secured: !(security ?? api.security).some(
        (one) => Object.keys(one).length === 0),
      parameters: parametersOf(item, item[method]),
      body: bodyOf(item[method]),
    });
  }
}

const compiled = new Map();

function check(pointer, value, what) {
  if (!compiled.has(pointer)) {
    compiled.set(pointer, ajv.compile({ $ref: `api${pointer}` }));
  }

  const judge = compiled.get(pointer);

  return judge(value) ? [] : judge.errors.map(
    (e) => `${what}${e.instancePath} ${e.message} `
      + JSON.stringify(e.params));
}

// headers are text: numbers are read where a number is described
function checkHeaders(response, pointer, headers) {
  const described = new Map();
  const faults = [];

  for (const name of Object.keys(response.headers ?? {})) {
    const [header, where] = follow(`${pointer}/headers/${step(name)}`);
    const text = headers[name.toLowerCase()];

    described.set(name.toLowerCase(), true);

    if (text === undefined) {
      if (header.required) {
        faults.push(`the header ${name} is missing`);
      }

      continue;
    }

    const [schema] = header.schema.$ref ? follow(header.schema.$ref)
      : [header.schema];
    const value = schema.type === 'integer' && /^\d+$/.test(text)
      ? Number(text) : text;

    faults.push(...check(`${where}/schema`, value, `header ${name}`));
  }

  for (const name of Object.keys(headers)) {
    if (!described.has(name) && !ORDINARY.has(name)) {
      faults.push(`the header ${name} is not described`);
    }
  }

  return faults;
}

function checkBody(response, pointer, headers, body) {
  if (response.content === undefined) {
    return body === '' ? [] : ['there is a body'];
  }

  const type = (headers['content-type'] ?? '').split(';')[0];

  if (response.content[type] === undefined) {
    return [`the type ${type} is not described`];
  }

  let value;

  try {
    value = JSON.parse(body);
  } catch (e) {
    return [`the body is no JSON: ${e.message}`];
  }

  return check(`${pointer}/content/${step(type)}/schema`, value, 'body');
}

function checkRequest(operation, request) {
  const [body, pointer] = follow(`${operation.pointer}/requestBody`);

  return check(`${pointer}/content/${step('application/json')}/schema`,
    request, 'request');
}

function judge({ id, path, others, status, headers, body, request }) {
  const from = others ? `#/paths/${step(path)}/x-other-methods`
    : `${operations.get(id).pointer}/responses/${status}`;

  if (!others && !operations.get(id).statuses.includes(status)) {
    return [`the status ${status} is not described`];
  }

  const [response, pointer] = follow(from);
  const faults = [
    ...checkHeaders(response, pointer, headers),
    ...checkBody(response, pointer, headers, body),
  ];

  if (request !== undefined) {
    faults.push(...checkRequest(operations.get(id), request));
  }

  return faults;
}

function list() {
  return {
    operations: [...operations.values()],
    others: Object.entries(api.paths)
      .filter(([, item]) => item['x-other-methods'])
      .map(([path, item]) => ({
        path,
        methods: METHODS.filter((m) => item[m]).map((m) => m.toUpperCase()),
      })),
    codes: api.components.schemas.ErrorCode.enum,
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  const answer = question.list ? list() : { faults: judge(question) };

  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
