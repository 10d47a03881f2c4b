/**
 * Stock model → Graph. Weights are not read: a constant keeps the place of its bytes in the stock file, and the bytes
 * themselves when they are few. Types of computed values are left to inference.
 */
import { AppError } from '../lib/errors.ts';
import { BATCH, type Dim } from './dims.ts';
import { ELEMENT_TYPES } from './elementTypes.ts';
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
  type TensorProto_DataType as Code,
  type AttributeProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './proto/onnx_pb.ts';
import { placeKey, placeOf, type Stock } from './stock.ts';
import { encode } from './values.ts';

/** Oldest operator set whose Squeeze, Unsqueeze and ReduceSum take axes as inputs. */
const OLDEST_OPSET = 13;

/** The graph of a stock model. Throws AppError `onnx.opset`, `onnx.unknownType` or `onnx.unknownDomain`. */
export function readModel(stock: Stock): Graph {
  const { model, path } = stock;
  const graph = new Graph(opsetOf(model, path));
  const body = model.graph!;
  for (const tensor of body.initializer) graph.addConstant(tensor.name, readTensor(tensor, stock));
  for (const input of body.input)
    if (!graph.constants.has(input.name)) graph.addInput(input.name, readType(input, path));
  graph.outputs.push(...body.output.map((output) => output.name));
  graph.nodes = readNodes(body, stock);
  return graph;
}

function opsetOf(model: ModelProto, path: string): number {
  const standard = model.opsetImport.find((entry) => entry.domain === '' || entry.domain === 'ai.onnx');
  const version = Number(standard?.version ?? 0);
  if (version >= OLDEST_OPSET) return version;
  const message = `expected operator set ${OLDEST_OPSET} or newer in ${path}, found ${version}; export it again`;
  throw new AppError('onnx.opset', message);
}

function readNodes(body: GraphProto, stock: Stock): Node[] {
  return body.node.map((node, index) => readNode(node, index, stock));
}

/** Operators of onnxruntime's own domain keep it in their name. */
function readNode(node: NodeProto, index: number, stock: Stock): Node {
  const op = opOf(node, stock.path);
  const attributes = Object.fromEntries(node.attribute.map((a) => [a.name, readAttribute(a, node, stock)]));
  return {
    op,
    name: node.name || `${node.opType}_${index}`,
    inputs: node.input,
    outputs: node.output,
    attributes,
  };
}

function opOf({ domain, opType, name }: NodeProto, path: string): string {
  if (domain === '' || domain === 'ai.onnx') return opType;
  if (domain === 'com.microsoft') return `${domain}.${opType}`;
  const message = `expected standard ONNX operators in ${path}, found ${domain}.${opType} "${name}"; export without runtime-specific optimization`;
  throw new AppError('onnx.unknownDomain', message);
}

function readAttribute(attribute: AttributeProto, node: NodeProto, stock: Stock): Attribute {
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
      return { kind: 'tensor', value: readTensor(attribute.t!, stock) };
    case Kind.GRAPH:
      return { kind: 'graph', value: readBranch(attribute.g!, stock) };
    default:
      throw new AppError(
        'onnx.unknownAttribute',
        `expected attributes of numbers, strings, tensors and graphs, found ${attribute.name} of kind ${attribute.type} in ${node.opType} "${node.name}"`,
      );
  }
}

function readBranch(body: GraphProto, stock: Stock): Branch {
  return { nodes: readNodes(body, stock), outputs: body.output.map((output) => output.name) };
}

function elementTypeOf(code: number, name: string, path: string): ElementType {
  const type = ELEMENT_TYPES[code as Code];
  if (type) return type;
  throw new AppError(
    'onnx.unknownType',
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

function readTensor(tensor: TensorProto, stock: Stock): Constant {
  const type = elementTypeOf(tensor.dataType, tensor.name, stock.path);
  const dims = tensor.dims.map(Number);
  const place = placeOf(tensor, stock.path);
  if (place)
    return {
      type,
      dims,
      content: {
        kind: 'stored',
        type,
        ...place,
        bytes: stock.values.get(placeKey(place)),
        isZero: stock.zeros.has(placeKey(place)),
      },
    };
  const bytes = tensor.rawData.length ? tensor.rawData : listedBytes(tensor, type);
  return { type, dims, content: { kind: 'inline', bytes } };
}

/** Tensors written as lists of numbers instead of raw bytes (half floats as their bit patterns). */
function listedBytes(tensor: TensorProto, type: ElementType): Uint8Array {
  if (type === 'float16' || type === 'bfloat16') return encode('int16', tensor.int32Data);
  if (type === 'float32') return encode(type, tensor.floatData);
  if (type === 'float64') return encode(type, tensor.doubleData);
  if (type === 'int64') return encode(type, tensor.int64Data.map(Number));
  return encode(type, tensor.int32Data);
}
