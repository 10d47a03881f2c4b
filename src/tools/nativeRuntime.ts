/** The studio's runtime on onnxruntime's native build: the same graphs in about half the time of WebAssembly. */
import * as ort from 'onnxruntime-node';
import { Runtime } from '../ort/runtime.ts';

/** @param threads that one pass of a graph is spread over; two processes of one each do more than one of two. */
export const nativeRuntime = (threads?: number): Runtime =>
  new Runtime({ ort, provider: 'cpu', ...(threads !== undefined && { threads }) });
