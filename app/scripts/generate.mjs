// Generates the TypeScript client from the program's interface description, and the types of what an indexer answers from its
// OpenAPI description, into src/generated. It runs before everything that compiles, so neither can be out of date, and
// nothing of it is committed.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { rootNodeFromAnchor } from '@codama/nodes-from-anchor';
import { renderVisitor } from '@codama/renderers-js';
import { createFromRoot } from 'codama';
import openapiTypes, { astToString } from 'openapi-typescript';

const app = join(dirname(fileURLToPath(import.meta.url)), '..');
const idlPath = join(app, '../programs/ballast/idl/ballast.json');
const openapiPath = join(app, '../indexer/openapi.json');
const stamp = join(app, 'src/generated/.made-from');

const text = readFileSync(idlPath, 'utf8');
const openapi = readFileSync(openapiPath, 'utf8');
const made = createHash('sha256')
  .update(text)
  .update(openapi)
  .update(readFileSync(fileURLToPath(import.meta.url)))
  .update(readFileSync(join(app, 'package-lock.json')))
  .digest('hex');
if (existsSync(stamp) && readFileSync(stamp, 'utf8') === made) process.exit(0);

const codama = createFromRoot(rootNodeFromAnchor(JSON.parse(text)));
await codama.accept(renderVisitor(app, { formatCode: false, syncPackageJson: false, kitImportStrategy: 'rootOnly' }));
mkdirSync(dirname(stamp), { recursive: true });
writeFileSync(join(app, 'src/generated/openapi.ts'), astToString(await openapiTypes(JSON.parse(openapi))));
writeFileSync(stamp, made);
console.log('generated the client from programs/ballast/idl/ballast.json and indexer/openapi.json');
