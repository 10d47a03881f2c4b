/** The worker's entry: hands a StudioWorker to the page. onnxruntime's own threads start the same file and pass by. */
import * as Comlink from 'comlink';
import { StudioWorker } from './studioWorker.ts';

if (!self.name.startsWith('em-pthread')) Comlink.expose(new StudioWorker());
