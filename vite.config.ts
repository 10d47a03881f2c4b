import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { modelFiles } from './src/tools/modelFiles.ts';

// Cross-origin isolation gives WebAssembly its threads. A host that cannot send these headers still works, on one.
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig({
  base: './',
  plugins: [react(), modelFiles(fileURLToPath(new URL('models', import.meta.url)))],
  server: { headers: ISOLATION },
  preview: { headers: ISOLATION },
  worker: { format: 'es' },
  build: { target: 'es2023', chunkSizeWarningLimit: 1200 },
  optimizeDeps: {
    exclude: ['onnxruntime-web'],
    // Imported by the worker alone, where they are not looked for beforehand.
    include: ['@noble/hashes/sha2.js', '@noble/hashes/legacy.js', '@noble/hashes/utils.js'],
  },
  test: { include: ['src/**/*.test.ts', 'src/**/*.test.tsx'], testTimeout: 60_000 },
});
