// Lints API descriptions: node lint.mjs file...; one line per fault.
import { createConfig, lint } from '@redocly/openapi-core';

// x-other-methods of a path: what any method answers that is not listed.
// AsyncAPI takes its objects from OpenAPI, whose JSON Schema is newer.
const extensions = {
  id: 'mentara',
  typeExtension: {
    oas3: (types) => ({
      ...types,
      PathItem: {
        ...types.PathItem,
        properties: {
          ...types.PathItem.properties,
          'x-other-methods': 'Response',
        },
      },
    }),
    async3: (types) => ({
      ...types,
      Schema: {
        ...types.Schema,
        properties: {
          ...types.Schema.properties,
          unevaluatedProperties: { type: 'boolean' },
        },
      },
    }),
  },
};

const config = await createConfig({
  extends: ['recommended-strict'],
  plugins: [extensions],
  rules: {
    'no-unused-components': 'error',
    'no-invalid-media-type-examples': 'error',
    'no-invalid-schema-examples': 'error',
    'no-invalid-parameter-examples': 'error',
  },
  // who is calling is told once, by the servers; tags repeat by nature
  async3Rules: {
    'security-defined': 'off',
    'no-duplicated-tag-names': 'off',
  },
});

let faults = 0;

function fault(file, text) {
  console.log(`${file}: ${text}`);
  faults++;
}

for (const file of process.argv.slice(2)) {
  try {
    for (const f of await lint({ ref: file, config })) {
      const at = f.location.map((l) => l.pointer ?? '').join(' ');

      fault(file, `${at}: ${f.message} (${f.ruleId})`);
    }
  } catch (e) {
    fault(file, e.message);
  }
}

process.exit(faults === 0 ? 0 : 1);
