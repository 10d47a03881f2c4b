/**
 * Graph → ONNX bytes. Stored constants become initializers with external data; where the file's type differs from
 * the constant's, a Cast follows, which onnxruntime folds when it loads the graph.
 */
import { create, toBinary } from '@bufbuild/protobuf';
import { isBatch, type Dim } from './dims.ts';
import type { Attribute, Branch, Constant, ElementType, Graph, Node } from './graph.ts';
import {
  AttributeProto_AttributeType as Kind,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType as Code,
  TensorProtoSchema,
  ValueInfoProtoSchema,
  type AttributeProto,
  type GraphProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './proto/onnx_pb.ts';

const IR_VERSION = 9n;

const codes: Record<ElementType, Code> = {
  float32: Code.FLOAT,
  float16: Code.FLOAT16,
  bfloat16: Code.BFLOAT16,
  float64: Code.DOUBLE,
  int64: Code.INT64,
  int32: Code.INT32,
  int16: Code.INT16,
  int8: Code.INT8,
  uint8: Code.UINT8,
  bool: Code.BOOL,
};

/** ONNX code of an element type, as `Cast` wants it. */
export function elementCode(type: ElementType): number {
  return codes[type];
}

/** Dimensions of inputs and outputs by name, a free one by what it is called. */
export type DeclaredDims = ReadonlyMap<string, readonly (Dim | string)[]>;

/** Serializes a graph; `declared` overrides shapes of inputs and outputs that are freer than compiled (an `If` yields two). */
export function writeModel(graph: Graph, declared: DeclaredDims, batchIsNamed = true): Uint8Array {
  const write = (name: string) => {
    const { type, dims } = graph.typeOf(name);
    const declaredDims = declared.get(name) ?? dims;
    return valueInfo(
      name,
      type,
      declaredDims.map((dim) => writeDim(dim, batchIsNamed)),
    );
  };
  const constants = [...graph.constants];
  const body = create(GraphProtoSchema, {
    name: 'prepared',
    node: [
      ...constants.flatMap(([name, constant]) => widening(name, constant)),
      ...graph.nodes.map(writeNode),
    ],
    initializer: constants.map(([name, constant]) => writeConstant(name, constant)),
    input: [...graph.inputs.keys()].map(write),
    output: graph.outputs.map(write),
  });
  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: 'neti-studio',
    opsetImport: [{ domain: '', version: BigInt(graph.opset) }],
    graph: body,
  });
  return toBinary(ModelProtoSchema, model);
}

function isWidened(constant: Constant): boolean {
  return constant.content.kind === 'stored' && constant.content.type !== constant.type;
}

function widening(name: string, constant: Constant): NodeProto[] {
  if (!isWidened(constant)) return [];
  const attributes = { to: { kind: 'int', value: codes[constant.type] } } as const;
  return [
    writeNode({ op: 'Cast', name: `widen/${name}`, inputs: [`stored/${name}`], outputs: [name], attributes }),
  ];
}

function writeConstant(name: string, constant: Constant): TensorProto {
  const { content } = constant;
  const dims = constant.dims.map(BigInt);
  if (content.kind === 'inline')
    return create(TensorProtoSchema, { name, dims, dataType: codes[constant.type], rawData: content.bytes });
  return create(TensorProtoSchema, {
    name: isWidened(constant) ? `stored/${name}` : name,
    dims,
    dataType: codes[content.type],
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: [
      { key: 'location', value: content.location },
      { key: 'offset', value: String(content.offset) },
      { key: 'length', value: String(content.length) },
    ],
  });
}

function writeNode(node: Node): NodeProto {
  const attribute = Object.entries(node.attributes).map(([name, value]) => writeAttribute(name, value));
  return create(NodeProtoSchema, {
    opType: node.op,
    name: node.name,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute,
  });
}

function writeAttribute(name: string, { kind, value }: Attribute): AttributeProto {
  const encode = (text: string) => new TextEncoder().encode(text);
  const make = (type: Kind, content: object) => create(AttributeProtoSchema, { name, type, ...content });
  switch (kind) {
    case 'int':
      return make(Kind.INT, { i: BigInt(value) });
    case 'float':
      return make(Kind.FLOAT, { f: value });
    case 'string':
      return make(Kind.STRING, { s: encode(value) });
    case 'ints':
      return make(Kind.INTS, { ints: value.map(BigInt) });
    case 'floats':
      return make(Kind.FLOATS, { floats: [...value] });
    case 'strings':
      return make(Kind.STRINGS, { strings: value.map(encode) });
    case 'tensor':
      return make(Kind.TENSOR, { t: writeConstant('', value) });
    case 'graph':
      return make(Kind.GRAPH, { g: writeBranch(name, value) });
  }
}

function writeBranch(name: string, branch: Branch): GraphProto {
  return create(GraphProtoSchema, {
    name,
    node: branch.nodes.map(writeNode),
    output: branch.outputs.map((output) => create(ValueInfoProtoSchema, { name: output })),
  });
}

function writeDim(dim: Dim | string, batchIsNamed: boolean) {
  if (typeof dim === 'string') return { value: { case: 'dimParam' as const, value: dim } };
  if (!isBatch(dim)) return { value: { case: 'dimValue' as const, value: BigInt(dim) } };
  if (!batchIsNamed) return {};
  return { value: { case: 'dimParam' as const, value: dim.batch === 1 ? 'batch' : `${dim.batch}*batch` } };
}

function valueInfo(name: string, type: ElementType, dim: ReturnType<typeof writeDim>[]): ValueInfoProto {
  const value = { case: 'tensorType' as const, value: { elemType: codes[type], shape: { dim } } };
  return create(ValueInfoProtoSchema, { name, type: { value } });
}
