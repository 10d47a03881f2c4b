import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { VitePWA, type ManifestOptions } from 'vite-plugin-pwa';
import { ISOLATION_HEADERS } from './src/offline/isolationHeaders.ts';
import { CONTENT_SECURITY_POLICY } from './src/offline/securityPolicy.ts';
import { modelFiles } from './src/tools/modelFiles.ts';
import { securityPolicy } from './src/tools/securityPolicy.ts';

/** What an installed page is called and opens. */
const MANIFEST: Partial<ManifestOptions> = {
  name: 'NeTI Studio',
  short_name: 'NeTI Studio',
  description:
    'Teach a text-to-image model something new from a few pictures. Everything stays on this computer.',
  start_url: '.',
  scope: '.',
  display: 'standalone',
  theme_color: '#3b5bdb',
  background_color: '#ffffff',
  icons: [
    { src: 'favicon.svg', sizes: 'any', type: 'image/svg+xml', purpose: 'any' },
    { src: 'icon-192.png', sizes: '192x192', type: 'image/png', purpose: 'any' },
    { src: 'icon-512.png', sizes: '512x512', type: 'image/png', purpose: 'any' },
    { src: 'icon-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
  ],
  file_handlers: [
    {
      action: '.',
      accept: { 'application/octet-stream': ['.safetensors'], 'image/*': ['.png', '.jpg', '.jpeg', '.webp'] },
    },
  ],
};

/** Page and samples; the model and the engine are kept by their hash (storage/modelCache.ts). */
const pwa = VitePWA({
  strategies: 'injectManifest',
  srcDir: 'src/offline',
  filename: 'serviceWorker.ts',
  injectRegister: null,
  manifest: MANIFEST,
  injectManifest: {
    rollupFormat: 'iife',
    globPatterns: [
      'assets/merges-*.bin',
      '**/*.{html,js,mjs,css,svg}',
      'icon-*.png',
      'models/manifest.json',
      'models/*/concepts/**',
    ],
    maximumFileSizeToCacheInBytes: 4e6,
  },
});

export default defineConfig({
  base: './',
  plugins: [react(), securityPolicy(), pwa, modelFiles(fileURLToPath(new URL('models', import.meta.url)))],
  server: { headers: ISOLATION_HEADERS },
  preview: { headers: { ...ISOLATION_HEADERS, 'Content-Security-Policy': CONTENT_SECURITY_POLICY } },
  worker: { format: 'es' },
  build: { target: 'es2023', chunkSizeWarningLimit: 1200 },
  optimizeDeps: {
    exclude: ['onnxruntime-web'],
    // Imported by the worker alone, where they are not looked for beforehand.
    include: ['@noble/hashes/sha2.js', '@noble/hashes/legacy.js', '@noble/hashes/utils.js'],
  },
  test: { include: ['src/**/*.test.ts', 'src/**/*.test.tsx'], testTimeout: 60_000, maxWorkers: '100%' },
});
