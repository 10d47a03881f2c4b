/** Graphs that are still protobuf but make no sense: what random bytes hardly ever reach. */
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import type { Random } from '../../lib/random.ts';
import { ModelProtoSchema, type GraphProto, type NodeProto } from '../../onnx/proto/onnx_pb.ts';
import { damageBytes, type Bytes } from './damage.ts';

const NUMBERS = [0n, 1n, -1n, 2n, 7n, -100n, 1n << 31n, (1n << 63n) - 1n, -(1n << 63n)];

export function damageOnnx(original: Uint8Array, random: Random): Bytes {
  if (random.uniform() < 0.3) return damageBytes(original, random);
  const model = fromBinary(ModelProtoSchema, original);
  for (let count = 1 + random.int(3); count > 0; count--) damageGraph(model.graph!, random);
  return toBinary(ModelProtoSchema, model);
}

type Damage = (graph: GraphProto, random: Random) => void;

const damages: readonly Damage[] = [
  (graph, random) => (oneOf(graph.node, random).opType = oneOf(graph.node, random).opType),
  (graph, random) => void graph.node.splice(random.int(graph.node.length), 1),
  (graph, random) => void graph.node.splice(random.int(graph.node.length), 0, oneOf(graph.node, random)),
  (graph, random) => (oneOf(graph.node, random).input = random.uniform() < 0.5 ? [] : ['']),
  (graph, random) => void oneOf(graph.node, random).input.push(oneOf(graph.node, random).output[0] ?? ''),
  (graph, random) => damageInput(graph, oneOf(graph.node, random), random),
  (graph, random) => (oneOf(graph.node, random).output = []),
  (graph, random) => damageAttribute(oneOf(graph.node, random), random),
  (graph, random) => (oneOf(graph.node, random).attribute = []),
  (graph, random) => damageDims(oneOf(graph.initializer, random).dims, random),
  (graph, random) => (oneOf(graph.initializer, random).rawData = new Uint8Array(random.int(9))),
  (graph, random) => (oneOf(graph.initializer, random).dataType = random.int(20)),
  (graph, random) => void graph.input.splice(random.int(graph.input.length), 1),
  (graph, random) => void graph.output.splice(random.int(graph.output.length), 1),
  (graph, random) => (oneOf(graph.node, random).domain = 'com.microsoft'),
];

function damageGraph(graph: GraphProto, random: Random): void {
  if (graph.node.length > 0 && graph.initializer.length > 0) oneOf(damages, random)(graph, random);
}

function oneOf<T>(items: readonly T[], random: Random): T {
  return items[random.int(items.length)]!;
}

function damageInput(graph: GraphProto, node: NodeProto, random: Random): void {
  const names = [...graph.initializer.map(({ name }) => name), ...graph.node.flatMap(({ output }) => output)];
  if (node.input.length > 0) node.input[random.int(node.input.length)] = oneOf(names, random);
}

function damageAttribute({ attribute }: NodeProto, random: Random): void {
  if (attribute.length === 0) return;
  const chosen = oneOf(attribute, random);
  chosen.i = oneOf(NUMBERS, random);
  damageDims(chosen.ints, random);
  if (chosen.t) damageDims(chosen.t.dims, random);
  if (chosen.t && random.uniform() < 0.5) chosen.t.rawData = new Uint8Array(8).fill(random.int(256));
}

function damageDims(dims: bigint[], random: Random): void {
  if (dims.length === 0 || random.uniform() < 0.2) dims.push(oneOf(NUMBERS, random));
  else if (random.uniform() < 0.3) dims.pop();
  else dims[random.int(dims.length)] = oneOf(NUMBERS, random);
}
