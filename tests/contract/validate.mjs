// Validates proto/ with public validators: OpenAPI 3.1 by Redocly's core, AsyncAPI 3.0 by the
// AsyncAPI initiative's own parser. Prints what is wrong and ends with 1.
//
// usage: node validate.mjs PROTO_DIR
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createConfig, formatProblems, lint } from '@redocly/openapi-core';
import { Parser } from '@asyncapi/parser';

const proto = process.argv[2];
if (!proto) {
  console.error('usage: node validate.mjs PROTO_DIR');
  process.exit(2);
}

// Every rule that says "this is not OpenAPI", and those that catch slips in a large document.
const rules = {
  struct: 'error',
  'no-unresolved-refs': 'error',
  'no-undefined-server-variable': 'error',
  'operation-operationId': 'error',
  'operation-operationId-unique': 'error',
  'operation-operationId-url-safe': 'error',
  'operation-summary': 'error',
  'operation-tag-defined': 'error',
  'operation-parameters-unique': 'error',
  'path-declaration-must-exist': 'error',
  'path-parameters-defined': 'error',
  'path-not-include-query': 'error',
  'path-segment-plural': 'off',
  'no-ambiguous-paths': 'error',
  'no-identical-paths': 'error',
  'no-path-trailing-slash': 'error',
  'no-duplicated-tag-names': 'error',
  'no-enum-type-mismatch': 'error',
  'no-example-value-and-externalValue': 'error',
  'no-invalid-media-type-examples': 'error',
  'no-invalid-parameter-examples': 'error',
  'no-invalid-schema-examples': 'error',
  'no-required-schema-properties-undefined': 'off', // members of allOf count
  'security-defined': 'error',
  'spec-strict-refs': 'off',
  'no-unused-components': 'error',
};

async function openapi() {
  const problems = await lint({
    ref: path.join(proto, 'openapi.yaml'),
    config: await createConfig({ rules }),
  });
  if (problems.length > 0)
    formatProblems(problems, { format: 'stylish', totals: { errors: problems.length, warnings: 0, ignored: 0 }, version: '' });
  return problems.length === 0;
}

async function asyncapi() {
  const file = path.resolve(proto, 'asyncapi.yaml');
  const { diagnostics } = await new Parser().parse(await readFile(file, 'utf8'), { source: file });
  const bad = diagnostics.filter(({ severity }) => severity === 0);
  for (const { message, path: at } of bad) console.error(`asyncapi.yaml: ${at.join('/')}: ${message}`);
  return bad.length === 0;
}

const good = [await openapi(), await asyncapi()];
process.exit(good.every(Boolean) ? 0 : 1);
