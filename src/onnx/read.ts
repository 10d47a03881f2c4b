/**
 * ONNX bytes → Graph. Weights are not copied: a constant keeps a view of its bytes and their place in the file
 * (a protobuf bytes field is a view of the file's own buffer, which gives the offset), or the place its external
 * data names. Types of computed values are left to inference.
 */
import { fromBinary } from '@bufbuild/protobuf';
import { AppError } from '../lib/errors.ts';
import { sizeOf } from '../lib/numbers.ts';
import { BATCH, type Dim } from './dims.ts';
import {
  Graph,
  type Attribute,
  type Branch,
  type Constant,
  type ElementType,
  type Node,
  type TensorType,
} from './graph.ts';
import {
  AttributeProto_AttributeType as Kind,
  ModelProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType as Code,
  type AttributeProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './proto/onnx_pb.ts';
import { elementSize, encode } from './values.ts';

/** Oldest operator set whose Squeeze, Unsqueeze and ReduceSum take axes as inputs. */
const OLDEST_OPSET = 13;

export interface StockFile {
  readonly bytes: Uint8Array;
  /** Path from the model folder, such as `unet/model.onnx`; prepared graphs refer to it. */
  readonly path: string;
}

interface Source extends StockFile {
  readonly folder: string;
}

export const elementTypes: Partial<Record<Code, ElementType>> = {
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

/**
 * Parses a stock model. Throws AppError `onnx/parse`, `onnx/opset`, `onnx/unknown-type` or `onnx/unknown-domain`.
 */
export function readModel(stock: StockFile): Graph {
  const model = parse(stock);
  const source = { ...stock, folder: stock.path.slice(0, stock.path.lastIndexOf('/') + 1) };
  const graph = new Graph(opsetOf(model, stock.path));
  const body = model.graph!;
  for (const tensor of body.initializer) graph.addConstant(tensor.name, readTensor(tensor, source));
  for (const input of body.input)
    if (!graph.constants.has(input.name)) graph.addInput(input.name, readType(input, stock.path));
  graph.outputs.push(...body.output.map((output) => output.name));
  graph.nodes = readNodes(body, source);
  return graph;
}

function parse({ bytes, path }: StockFile): ModelProto {
  try {
    const model = fromBinary(ModelProtoSchema, bytes);
    if (model.graph && model.opsetImport.length) return model;
  } catch (error) {
    throw new AppError('onnx/parse', `expected an ONNX model in ${path}, found unreadable bytes`, {
      cause: error,
    });
  }
  throw new AppError('onnx/parse', `expected an ONNX model in ${path}, found no graph in it`);
}

function opsetOf(model: ModelProto, path: string): number {
  const standard = model.opsetImport.find((entry) => entry.domain === '' || entry.domain === 'ai.onnx');
  const version = Number(standard?.version ?? 0);
  if (version >= OLDEST_OPSET) return version;
  const message = `expected operator set ${OLDEST_OPSET} or newer in ${path}, found ${version}; export it again`;
  throw new AppError('onnx/opset', message);
}

function readNodes(body: GraphProto, source: Source): Node[] {
  return body.node.map((node, index) => readNode(node, index, source));
}

function readNode(node: NodeProto, index: number, source: Source): Node {
  if (node.domain !== '' && node.domain !== 'ai.onnx') {
    const message = `expected standard ONNX operators, found ${node.domain}.${node.opType} "${node.name}"; export without runtime-specific optimization`;
    throw new AppError('onnx/unknown-domain', message);
  }
  const attributes = Object.fromEntries(node.attribute.map((a) => [a.name, readAttribute(a, node, source)]));
  const name = node.name || `${node.opType}_${index}`;
  return { op: node.opType, name, inputs: node.input, outputs: node.output, attributes };
}

function readAttribute(attribute: AttributeProto, node: NodeProto, source: Source): Attribute {
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  switch (attribute.type) {
    case Kind.INT:
      return { kind: 'int', value: Number(attribute.i) };
    case Kind.FLOAT:
      return { kind: 'float', value: attribute.f };
    case Kind.STRING:
      return { kind: 'string', value: decode(attribute.s) };
    case Kind.INTS:
      return { kind: 'ints', value: attribute.ints.map(Number) };
    case Kind.FLOATS:
      return { kind: 'floats', value: attribute.floats };
    case Kind.STRINGS:
      return { kind: 'strings', value: attribute.strings.map(decode) };
    case Kind.TENSOR:
      return { kind: 'tensor', value: readTensor(attribute.t!, source) };
    case Kind.GRAPH:
      return { kind: 'graph', value: readBranch(attribute.g!, source) };
    default:
      throw new AppError(
        'onnx/unknown-attribute',
        `expected attributes of numbers, strings, tensors and graphs, found ${attribute.name} of kind ${attribute.type} in ${node.opType} "${node.name}"`,
      );
  }
}

function readBranch(body: GraphProto, source: Source): Branch {
  return { nodes: readNodes(body, source), outputs: body.output.map((output) => output.name) };
}

function elementTypeOf(code: number, name: string, path: string): ElementType {
  const type = elementTypes[code as Code];
  if (type) return type;
  throw new AppError(
    'onnx/unknown-type',
    `expected a number tensor for "${name}" in ${path}, found type ${code}`,
  );
}

function readType(info: ValueInfoProto, path: string): TensorType {
  const tensor = info.type?.value.case === 'tensorType' ? info.type.value.value : undefined;
  const dims = tensor?.shape?.dim.map((dim): Dim =>
    dim.value.case === 'dimValue' ? Number(dim.value.value) : BATCH,
  );
  return { type: elementTypeOf(tensor?.elemType ?? 0, info.name, path), dims: dims ?? [] };
}

function readTensor(tensor: TensorProto, source: Source): Constant {
  const type = elementTypeOf(tensor.dataType, tensor.name, source.path);
  const dims = tensor.dims.map(Number);
  if (tensor.dataLocation === TensorProto_DataLocation.EXTERNAL)
    return { type, dims, content: externalContent(tensor, type, dims, source) };
  if (!tensor.rawData.length)
    return { type, dims, content: { kind: 'inline', bytes: listedBytes(tensor, type) } };
  const bytes = tensor.rawData;
  const offset = bytes.byteOffset - source.bytes.byteOffset;
  const place = { location: source.path, offset, length: bytes.byteLength };
  return { type, dims, content: { kind: 'stored', type, ...place, bytes } };
}

function externalContent(tensor: TensorProto, type: ElementType, dims: number[], source: Source) {
  const entries = new Map(tensor.externalData.map((entry) => [entry.key, entry.value]));
  return {
    kind: 'stored' as const,
    type,
    location: source.folder + (entries.get('location') ?? ''),
    offset: Number(entries.get('offset') ?? 0),
    length: Number(entries.get('length') ?? sizeOf(dims) * elementSize(type)),
    bytes: undefined,
  };
}

/** Tensors written as lists of numbers instead of raw bytes (half floats as their bit patterns). */
function listedBytes(tensor: TensorProto, type: ElementType): Uint8Array {
  if (type === 'float16' || type === 'bfloat16') return encode('int16', tensor.int32Data);
  if (type === 'float32') return encode(type, tensor.floatData);
  if (type === 'float64') return encode(type, tensor.doubleData);
  if (type === 'int64') return encode(type, tensor.int64Data.map(Number));
  return encode(type, tensor.int32Data);
}
