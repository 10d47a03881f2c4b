/**
 * The import rule of src: a folder may import the folders listed for it, itself, and nothing else; no cycles.
 * Only src/ort imports onnxruntime-web at run time, only src/storage imports idb-keyval.
 */
const mayImport = {
  lib: [],
  onnx: ['lib'],
  gpu: ['lib'],
  ort: ['lib'],
  storage: ['lib'],
  diffusion: ['ort', 'lib'],
  neti: ['diffusion', 'ort', 'gpu', 'lib'],
  worker: ['neti', 'diffusion', 'ort', 'gpu', 'onnx', 'storage', 'lib'],
  store: ['worker', 'storage', 'neti', 'lib'],
  ui: ['store', 'worker', 'lib'],
  tools: ['onnx', 'ort', 'neti', 'diffusion', 'gpu', 'lib'],
};

const layer = ([folder, allowed]) => ({
  name: `layer-${folder}`,
  severity: 'error',
  from: { path: `^src/${folder}/`, pathNot: '\\.test\\.tsx?$' },
  to: { path: '^src/', pathNot: `^src/(${[folder, ...allowed].join('|')})/` },
});

export default {
  forbidden: [
    ...Object.entries(mayImport).map(layer),
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'only-ort-runs-onnx',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/ort/|\\.test\\.ts$|^src/tools/' },
      to: { path: 'node_modules/onnxruntime' },
    },
    {
      name: 'only-storage-uses-idb',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/storage/' },
      to: { path: 'node_modules/idb-keyval' },
    },
    {
      name: 'page-sees-types-and-client-only',
      severity: 'error',
      from: { path: '^src/(store|ui)/' },
      to: { path: '^src/worker/', pathNot: '^src/worker/(api|client)\\.ts$' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js', '.mjs', '.json'] },
  },
};
