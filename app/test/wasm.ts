// The WebAssembly as it is built, in Node.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { initSync } from '../src/wasm/ballast_wasm';

initSync({ module: readFileSync(join(import.meta.dirname, '../src/wasm/ballast_wasm_bg.wasm')) });
