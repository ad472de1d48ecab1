import { defineConfig } from 'vitest/config';

// What `cargo xtask demo --check` runs against the demo that it has started.
export default defineConfig({
  test: {
    include: ['e2e/demo.check.ts'],
    environment: 'node',
    reporters: ['verbose'],
    testTimeout: 600_000,
    hookTimeout: 60_000,
    bail: 1,
  },
});
