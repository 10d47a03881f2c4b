/**
 * Vite plugin: the base models that `models/manifest.json` names, and only the files it names, are served by the
 * dev and preview servers and copied by the build. Training code and notes beside the models never ship.
 */
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Connect, Plugin } from 'vite';
import { manifestSchema } from '../lib/manifest.ts';

const TYPES: Record<string, string> = {
  json: 'application/json',
  png: 'image/png',
  onnx: 'application/octet-stream',
  md: 'text/plain; charset=utf-8',
};

async function namedFiles(root: string): Promise<Set<string>> {
  const manifest = manifestSchema.parse(JSON.parse(await readFile(join(root, 'manifest.json'), 'utf8')));
  const files = manifest.models.flatMap((model) => model.files.map((file) => `${model.path}/${file.path}`));
  return new Set(['manifest.json', ...files]);
}

function serve(root: string): Connect.NextHandleFunction {
  return (request, response, next) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const name = decodeURIComponent(pathname).split('/models/')[1];
    // What the code imports is a module, which vite makes.
    if (name === undefined || searchParams.has('import')) return next();
    namedFiles(root)
      .then((files) => {
        if (!files.has(name)) {
          response.statusCode = 404;
          return response.end(`models/manifest.json does not name ${name}`);
        }
        response.setHeader('Content-Type', TYPES[name.split('.').pop() ?? ''] ?? 'application/octet-stream');
        response.setHeader('Cache-Control', 'no-cache');
        return createReadStream(join(root, name)).pipe(response);
      })
      .catch(next);
  };
}

export function modelFiles(root: string): Plugin {
  let outDir = 'dist';
  return {
    name: 'neti-model-files',
    configResolved: (config) => {
      outDir = config.build.outDir;
    },
    configureServer: (server) => {
      server.middlewares.use(serve(root));
    },
    writeBundle: async () => {
      for (const name of await namedFiles(root)) {
        const target = join(outDir, 'models', name);
        await mkdir(dirname(target), { recursive: true });
        await copyFile(join(root, name), target);
      }
    },
  };
}
