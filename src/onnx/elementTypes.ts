/** Element types of the compiler by their ONNX codes. */
import type { ElementType } from './graph.ts';
import { TensorProto_DataType as Code } from './proto/onnx_pb.ts';

export const ELEMENT_TYPES: Partial<Record<Code, ElementType>> = {
  [Code.FLOAT]: 'float32',
  [Code.FLOAT16]: 'float16',
  [Code.BFLOAT16]: 'bfloat16',
  [Code.DOUBLE]: 'float64',
  [Code.INT64]: 'int64',
  [Code.INT32]: 'int32',
  [Code.INT16]: 'int16',
  [Code.INT8]: 'int8',
  [Code.UINT8]: 'uint8',
  [Code.BOOL]: 'bool',
};
