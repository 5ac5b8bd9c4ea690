// The second model as an .onnx file, from given weights: the inference side only.
import protobuf from 'protobufjs';

/** The part of onnx.proto that this model needs; the numbers are ONNX's. */
const { root } = protobuf.parse(`
  syntax = "proto2";
  message ModelProto { optional int64 ir_version = 1; optional GraphProto graph = 7; repeated Opset opset_import = 8; }
  message Opset { optional string domain = 1; optional int64 version = 2; }
  message GraphProto {
    repeated NodeProto node = 1; optional string name = 2; repeated TensorProto initializer = 5;
    repeated ValueInfo input = 11; repeated ValueInfo output = 12;
  }
  message NodeProto {
    repeated string input = 1; repeated string output = 2; optional string op_type = 4; repeated Attribute attribute = 5;
  }
  message Attribute { optional string name = 1; optional int64 i = 3; repeated int64 ints = 8; optional int32 type = 20; }
  message TensorProto {
    repeated int64 dims = 1; optional int32 data_type = 2; optional string name = 8; optional bytes raw_data = 9;
  }
  message ValueInfo { optional string name = 1; optional Type type = 2; }
  message Type { optional TensorType tensor_type = 1; }
  message TensorType { optional int32 elem_type = 1; optional Shape shape = 2; }
  message Shape { repeated Dimension dim = 1; }
  message Dimension { optional int64 dim_value = 1; optional string dim_param = 2; }
`);
const Model = root.lookupType('ModelProto');
const [float32, int64] = [1, 7];
const [integer, integers] = [2, 7];

const tensor = (name, dims, data) => ({
  name,
  dims,
  dataType: data instanceof BigInt64Array ? int64 : float32,
  rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
});
const input = (name, width) => ({
  name,
  type: { tensorType: { elemType: float32, shape: { dim: [{ dimParam: 'batch' }, { dimValue: width }] } } },
});
const attribute = (name, value) =>
  Array.isArray(value) ? { name, ints: value, type: integers } : { name, i: value, type: integer };
const node = (opType, inputs, output, attributes = {}) => ({
  opType,
  input: inputs,
  output: [output],
  attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
});

/** The axes in another order: axis i of the result is axis order[i] of the data. */
function transpose(data, shape, order) {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((product, size) => product * size, 1));
  const result = new Float32Array(data.length);
  let at = 0;
  const walk = (axis, from) => {
    if (axis === order.length) result[at++] = data[from];
    else for (let i = 0; i < shape[order[axis]]; i++) walk(axis + 1, from + i * strides[order[axis]]);
  };
  walk(0, 0);
  return result;
}

/**
 * The bytes of the file. `weights` are the data of the model's eight variables in the order of their making: filters
 * [height, width, in, out], matrices [in, out]; ONNX keeps channels before height and width.
 */
export function cnnOnnx([w1, b1, w2, b2, w3, b3, w4, b4]) {
  const conv = { kernel_shape: [5, 5], pads: [2, 2, 2, 2] };
  const pool = { kernel_shape: [2, 2], strides: [2, 2] };
  const graph = {
    name: 'cnn',
    input: [input('x', 784)],
    output: [input('y', 10)],
    initializer: [
      tensor('image', [4], BigInt64Array.of(-1n, 1n, 28n, 28n)),
      tensor('w1', [32, 1, 5, 5], transpose(w1, [5, 5, 1, 32], [3, 2, 0, 1])),
      tensor('b1', [32], b1),
      tensor('w2', [64, 32, 5, 5], transpose(w2, [5, 5, 32, 64], [3, 2, 0, 1])),
      tensor('b2', [64], b2),
      tensor('w3', [3136, 1024], transpose(w3, [7, 7, 64, 1024], [2, 0, 1, 3])),
      tensor('b3', [1024], b3),
      tensor('w4', [1024, 10], w4),
      tensor('b4', [10], b4),
    ],
    node: [
      node('Reshape', ['x', 'image'], 'x4'),
      node('Conv', ['x4', 'w1', 'b1'], 'c1', conv),
      node('Relu', ['c1'], 'r1'),
      node('MaxPool', ['r1'], 'p1', pool),
      node('Conv', ['p1', 'w2', 'b2'], 'c2', conv),
      node('Relu', ['c2'], 'r2'),
      node('MaxPool', ['r2'], 'p2', pool),
      node('Flatten', ['p2'], 'flat'),
      node('Gemm', ['flat', 'w3', 'b3'], 'f1'),
      node('Relu', ['f1'], 'r3'),
      node('Gemm', ['r3', 'w4', 'b4'], 'f2'),
      node('Softmax', ['f2'], 'y', { axis: 1 }),
    ],
  };
  return Model.encode(Model.fromObject({ irVersion: 8, opsetImport: [{ domain: '', version: 13 }], graph })).finish();
}
