// TensorFlow 1.15's public names, and what becomes of each here: for docs/from-tensorflow.md.
import { readFileSync } from 'node:fs';

const text = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

/** TensorFlow's names: `tf.nn.conv2d`. */
export const theirs: readonly string[] = text('tensorflow-1.15.txt')
  .trim()
  .split('\n')
  .flatMap((line) => {
    const [module, ...names] = line.split(' ');
    return names.map((name) => `${module}.${name}`);
  });

/** Ours, as tests/golden/public.txt has them: what stands before the subpaths of the package. */
export const ours: ReadonlySet<string> = new Set(
  [
    ...text('../golden/public.txt')
      .split(/^# millrace\//m)[0]
      .matchAll(/^(?:class|const|function|interface|namespace|type) (\S+)$/gm),
  ].map(([, name]) => `tf.${name}`),
);

/** Other names of the same thing. An entry whose second name is not there yet counts as absent. */
const renamed: Readonly<Record<string, readonly [name: string, note?: string]>> = {
  'tf.Assert': ['tf.assert', 'after it, in `tf.controlDependencies`, runs what needs it'],
  'tf.OpError': ['tf.MillraceError', 'above all errors'],
  'tf.Print': ['tf.print'],
  'tf.Variable': ['tf.variable', '`tf.Variable` is the class, not called with `new`'],
  'tf.accumulate_n': ['tf.addN'],
  'tf.add_check_numerics_ops': ['tf.checkNumerics', 'around the tensors that matter'],
  'tf.all_variables': ['tf.globalVariables'],
  'tf.arg_max': ['tf.argmax'],
  'tf.arg_min': ['tf.argmin'],
  'tf.convert_to_tensor': ['tf.constant'],
  'tf.count_up_to': ['tf.assignAdd'],
  'tf.double': ['tf.float64'],
  'tf.floordiv': ['tf.floorDiv'],
  'tf.floormod': ['tf.mod'],
  'tf.get_collection_ref': ['tf.getCollection', 'a copy; `tf.addToCollection` adds'],
  'tf.get_local_variable': ['tf.getVariable', 'with `collections: [tf.GraphKeys.LOCAL_VARIABLES], trainable: false`'],
  'tf.initialize_local_variables': ['tf.localVariablesInitializer'],
  'tf.initialize_variables': ['tf.variablesInitializer'],
  'tf.initializers.global_variables': ['tf.globalVariablesInitializer'],
  'tf.initializers.local_variables': ['tf.localVariablesInitializer'],
  'tf.initializers.uniform_unit_scaling': ['tf.initializers.varianceScaling', "with `distribution: 'uniform'`"],
  'tf.initializers.variables': ['tf.variablesInitializer'],
  'tf.is_tensor': ['tf.Tensor', '`x instanceof tf.Tensor`'],
  'tf.lin_space': ['tf.linspace'],
  'tf.linalg.transpose': ['tf.transpose'],
  'tf.math.floordiv': ['tf.floorDiv'],
  'tf.model_variables': ['tf.getCollection', "of `'model_variables'`, to which programs may add"],
  'tf.moving_average_variables': ['tf.getCollection', 'of `tf.GraphKeys.MOVING_AVERAGE_VARIABLES`'],
  'tf.negative': ['tf.neg'],
  'tf.newaxis': ['tf.expandDims'],
  'tf.nn.atrous_conv2d': ['tf.nn.conv2d', 'option `dilations`'],
  'tf.nn.avg_pool2d': ['tf.nn.avgPool'],
  'tf.nn.avg_pool_v2': ['tf.nn.avgPool'],
  'tf.nn.batch_norm_with_global_normalization': ['tf.nn.batchNormalization'],
  'tf.nn.conv2d_backprop_input': ['tf.nn.conv2dTranspose'],
  'tf.nn.conv_transpose': ['tf.nn.conv2dTranspose'],
  'tf.nn.convolution': ['tf.nn.conv2d'],
  'tf.nn.depthwise_conv2d_native': ['tf.nn.depthwiseConv2d'],
  'tf.nn.fused_batch_norm': ['tf.nn.batchNormalization', 'the compiler fuses it; statistics by `tf.nn.moments`'],
  'tf.nn.local_response_normalization': ['tf.nn.lrn'],
  'tf.nn.max_pool2d': ['tf.nn.maxPool'],
  'tf.nn.max_pool_v2': ['tf.nn.maxPool'],
  'tf.nn.pool': ['tf.nn.maxPool', 'or `tf.nn.avgPool`'],
  'tf.nn.softmax_cross_entropy_with_logits_v2': [
    'tf.nn.softmaxCrossEntropyWithLogits',
    'gradients flow into labels too',
  ],
  'tf.op_scope': ['tf.nameScope'],
  'tf.random.categorical': ['tf.multinomial'],
  'tf.realdiv': ['tf.divide'],
  'tf.rint': ['tf.round'],
  'tf.saturate_cast': ['tf.cast', 'casts saturate'],
  'tf.scalar_mul': ['tf.mul'],
  'tf.to_double': ['tf.cast', "`tf.cast(x, 'float64')`"],
  'tf.to_float': ['tf.cast', "`tf.cast(x, 'float32')`"],
  'tf.to_int32': ['tf.cast', "`tf.cast(x, 'int32')`"],
  'tf.train.Checkpoint': ['tf.train.Saver'],
  'tf.train.CheckpointManager': ['tf.train.Saver', 'option `maxToKeep`'],
  'tf.train.NewCheckpointReader': ['tf.train.loadCheckpoint'],
  'tf.train.checkpoint_exists': ['tf.train.latestCheckpoint'],
  'tf.train.get_checkpoint_state': ['tf.train.latestCheckpoint'],
  'tf.train.global_step': ['tf.train.getGlobalStep', '`await sess.run(step)`'],
  'tf.train.init_from_checkpoint': ['tf.train.Saver', '`restore` with `varList` and `strict: false`'],
  'tf.train.load_variable': ['tf.train.loadCheckpoint'],
  'tf.train.piecewise_constant_decay': ['tf.train.piecewiseConstant'],
  'tf.train.warm_start': ['tf.train.Saver', '`restore` with `varList` and `strict: false`'],
  'tf.truediv': ['tf.divide'],
  'tf.truncatediv': ['tf.div', 'of integers'],
  'tf.uniform_unit_scaling_initializer': ['tf.initializers.varianceScaling', "with `distribution: 'uniform'`"],
  'tf.variable_op_scope': ['tf.variableScope'],
  'tf.verify_tensor_all_finite': ['tf.checkNumerics'],
  'tf.where_v2': ['tf.where'],
  'tf.errors.DataLossError': ['tf.DataError'],
  'tf.errors.OpError': ['tf.MillraceError'],
};

/** What is an expression here: of x and y, matrices of 3 × 3 of floats, w such a one, a vector b, and indices ids. */
export const written: Readonly<Record<string, string>> = {
  'tf.argsort': 'tf.nn.topK(tf.neg(x), 3)[1]',
  'tf.cosh': 'tf.mul(tf.add(tf.exp(x), tf.exp(tf.neg(x))), 0.5)',
  'tf.count_nonzero': "tf.reduceSum(tf.cast(tf.notEqual(x, 0), 'int32'))",
  'tf.diag': 'tf.mul(tf.eye(3), b)',
  'tf.diag_part': 'tf.reduceSum(tf.mul(x, tf.eye(3)), 1)',
  'tf.div_no_nan': 'tf.where(tf.equal(y, 0), 0, tf.div(x, y))',
  'tf.erfc': 'tf.sub(1, tf.erf(x))',
  'tf.is_finite': 'tf.equal(tf.sub(x, x), 0)',
  'tf.is_inf': 'tf.equal(tf.abs(x), Infinity)',
  'tf.is_nan': 'tf.notEqual(x, x)',
  'tf.log_sigmoid': 'tf.neg(tf.nn.softplus(tf.neg(x)))',
  'tf.math.divide_no_nan': 'tf.where(tf.equal(y, 0), 0, tf.div(x, y))',
  'tf.math.multiply_no_nan': 'tf.where(tf.equal(y, 0), 0, tf.mul(x, y))',
  'tf.math.reciprocal_no_nan': 'tf.where(tf.equal(x, 0), 0, tf.div(1, x))',
  'tf.math.reduce_euclidean_norm': 'tf.sqrt(tf.reduceSum(tf.square(x)))',
  'tf.math.xdivy': 'tf.where(tf.equal(x, 0), 0, tf.div(x, y))',
  'tf.math.xlogy': 'tf.where(tf.equal(x, 0), 0, tf.mul(x, tf.log(y)))',
  'tf.linalg.matvec': 'tf.reshape(tf.matmul(x, tf.expandDims(b, 1)), [-1])',
  'tf.linalg.normalize': 'tf.nn.l2Normalize(x, 1)',
  'tf.linalg.tensor_diag': 'tf.mul(tf.eye(3), b)',
  'tf.linalg.tensor_diag_part': 'tf.reduceSum(tf.mul(x, tf.eye(3)), 1)',
  'tf.matrix_diag': 'tf.mul(tf.eye(3), tf.expandDims(x, 1))',
  'tf.matrix_transpose': 'tf.transpose(x)',
  'tf.nn.crelu': 'tf.concat([tf.nn.relu(x), tf.nn.relu(tf.neg(x))], 1)',
  'tf.nn.relu6': 'tf.minimum(tf.nn.relu(x), 6)',
  'tf.nn.relu_layer': 'tf.nn.relu(tf.add(tf.matmul(x, w), b))',
  'tf.nn.softsign': 'tf.div(x, tf.add(tf.abs(x), 1))',
  'tf.nn.swish': 'tf.mul(x, tf.sigmoid(x))',
  'tf.nn.xw_plus_b': 'tf.add(tf.matmul(x, w), b)',
  'tf.nn.zero_fraction': "tf.reduceMean(tf.cast(tf.equal(x, 0), 'float32'))",
  'tf.norm': 'tf.sqrt(tf.reduceSum(tf.square(x)))',
  'tf.reciprocal': 'tf.div(1, x)',
  'tf.reverse': 'tf.stridedSlice(x, [0], [0], { strides: [-1], beginMask: 1, endMask: 1 })',
  'tf.reverse_v2': 'tf.stridedSlice(x, [0], [0], { strides: [-1], beginMask: 1, endMask: 1 })',
  'tf.segment_sum': 'tf.unsortedSegmentSum(x, ids, 3)',
  'tf.sequence_mask': 'tf.less(tf.range(3), tf.expandDims(ids, 1))',
  'tf.sinh': 'tf.mul(tf.sub(tf.exp(x), tf.exp(tf.neg(x))), 0.5)',
  'tf.sort': 'tf.neg(tf.nn.topK(tf.neg(x), 3)[0])',
  'tf.tan': 'tf.div(tf.sin(x), tf.cos(x))',
  'tf.trace': 'tf.reduceSum(tf.mul(x, tf.eye(3)))',
};

/** Why names are not here. A name belongs to the first group with a pattern of it, without `tf.`; * is any part. */
export const groups: readonly (readonly [title: string, why: string, patterns: string])[] = [
  [
    'Loops and branches',
    'Not yet. A run is one program without jumps: unroll a loop of known length in JavaScript, choose with `tf.where`, or call `sess.run` in a JavaScript loop with the state in variables.',
    'while_loop cond case switch_case map_fn foldl foldr scan vectorized_map TensorArray CriticalSection nn.*rnn* layers.experimental train.basic_train_loop',
  ],
  [
    'Estimator, Keras, feature columns, hooks',
    'A training loop is a few lines of JavaScript around `sess.run`; `tf.layers`, `tf.losses` and `tf.metrics` build the network, a `tf.train.Saver` keeps it.',
    'estimator keras feature_column make_template layers.[A-Z]* train.*Hook train.*Monitored* train.Scaffold train.Session* train.Supervisor train.*SessionCreator train.SecondOrStepTimer train.CheckpointSaverListener train.NanLossDuringTrainingError train.VocabInfo nn.compute_average_loss nn.scale_regularization_loss',
  ],
  [
    'Reading data in the graph',
    'Data comes from JavaScript: arrays and typed arrays are fed, and `readDataSets` of `millrace/mnist` deals batches. So there are no files, records, queues and threads of readers in a graph.',
    'data *Reader* *Queue* queue *_producer io python_io gfile TFRecord* *FeatureColumn FixedLen* VarLenFeature SparseFeature parse_* decode_* serialize_* deserialize_* read_file write_file matching_files ReaderBase train.batch* train.maybe_* train.shuffle_batch* train.*queue_runner* train.limit_epochs train.match_filenames_once train.Coordinator train.LooperThread train.Example train.Feature* train.*List train.SequenceExample train.summary_iterator audio lookup tables_initializer initialize_all_tables initializers.tables_initializer *Accumulator* resource_loader',
  ],
  [
    'Strings',
    'A tensor holds numbers or truth values. Words become numbers in JavaScript.',
    'string strings string_* as_string regex_replace reduce_join substr encode_base64 edit_distance fingerprint',
  ],
  [
    'Complex numbers and signals',
    'There is no dtype for them.',
    'complex* to_complex* real imag conj angle fft* ifft* spectral signal',
  ],
  [
    'Other dtypes',
    'There are `float32`, `float64`, `int32`, `uint8` and `bool`. `float64` holds whole numbers up to 2⁵³. Checkpoints of float16 and bfloat16 are read as float32, those of int64 as int32 where they fit.',
    'int8 int16 int64 uint16 uint32 uint64 half float16 bfloat16 to_int64 to_bfloat16 qint* quint* QUANTIZED_DTYPES *quantize* *quantiz* fake_quant_* quantization bitcast bitwise variant resource as_dtype dtypes nn.quantized_* train.do_quantize*',
  ],
  [
    'Sizes that follow from data',
    'All sizes are known when a run is compiled: from shapes and from fed sizes, not from what a tensor holds. Compute a mask and weigh with it, or split the run in two.',
    'boolean_mask unique unique_with_counts setdiff1d dynamic_partition dynamic_stitch sets',
  ],
  [
    'Sparse and ragged tensors',
    'Every tensor is dense. `tf.gather` and its gradient touch only the rows that are asked for.',
    'sparse sparse_* Sparse* IndexedSlices ragged Ragged* *_sparse convert_to_tensor_or_*  metrics.sparse_*',
  ],
  [
    'Partitioned variables',
    'A variable is one array in one memory.',
    '*partitioner create_partitioned_variables VariableAggregation VariableSynchronization variable_creator_scope',
  ],
  [
    'Devices and clusters',
    'A session computes on the cores of one processor, which `new tf.Session({ backend, threads })` chooses.',
    'device DeviceSpec colocate_with GPUOptions distribute tpu xla config container train.Cluster* train.Server* train.JobDef train.SyncReplicas* train.replica_device_setter ConfigProto OptimizerOptions GraphOptions RunOptions RunMetadata',
  ],
  [
    'Eager execution and functions',
    'A graph is described, then run. What is computed at once is JavaScript.',
    '*eager* GradientTape function py_func* numpy_function wrap_function autograph init_scope nondifferentiable_batch_function executing_eagerly *_v2_* *resource_variables* resource_variables_enabled Module user_ops raw_ops load_* pywrap_tensorflow lite',
  ],
  [
    'Gradients written by hand',
    'An op is a definition with its gradient, in the source (CONTRIBUTING.md). For others: `tf.stopGradient`, and `gradYs` of `tf.gradients`.',
    'custom_gradient RegisterGradient NoGradient NotDifferentiable no_gradient UnconnectedGradients AggregationMethod hessians register_tensor_conversion_function',
  ],
  [
    'Graphs as files, and summaries',
    'A graph is made by a program, not loaded. Weights are files (`tf.train.Saver`, safetensors), timelines too (`new tf.Session({ trace })`), `sess.explain` tells what runs.',
    '*Def *_meta_graph import_graph_def graph_util saved_model summary Summary* Event SessionLog LogMessage HistogramProto AttrValue NameAttrList TensorInfo make_ndarray make_tensor_proto profiler train.write_graph train.SaverDef *VERSION* *_FLAG MONOLITHIC_BUILD version sysconfig compat',
  ],
  [
    'Shapes as objects',
    'A shape is an array, `tensor.shape`, with null where a size is known only when it runs; types carry it.',
    'TensorShape TensorSpec Dimension dimension_* broadcast_*_shape ensure_shape get_static_value shape_n assert_rank* assert_scalar assert_type assert_same_float_dtype assert_integer assert_proper_iterable is_numeric_tensor nest',
  ],
  [
    'Assertions by name',
    '`tf.assert(tf.reduceAll(tf.less(x, y)))` says any of them; `tf.checkNumerics` finds NaN and infinities.',
    'assert_* debugging train.assert_global_step math.is_non_decreasing math.is_strictly_increasing is_non_decreasing is_strictly_increasing',
  ],
  [
    'Which variables have a value',
    'The session knows: a run that reads one without a value is a `FailedPreconditionError` that names it.',
    'report_uninitialized_variables is_variable_initialized',
  ],
  [
    'The default session, flags, logs, tests',
    '`tensor.eval()` uses an open `tf.InteractiveSession`; the rest is what Node and its packages have.',
    'get_default_session get_session_* delete_session_tensor app flags logging get_logger test timestamp print Print get_seed',
  ],
  [
    'Writing a part of a tensor',
    'Not yet. `tf.unsortedSegmentSum` adds rows at indices, `tf.where` with a mask replaces elements, `tf.assign` all of a variable.',
    'scatter_* tensor_scatter_* batch_scatter_update unsorted_segment_* segment_* sparse_segment_* parallel_stack',
  ],
  [
    'Linear algebra',
    'Not here: decompositions are loops over data. `tf.matmul` is of any rank.',
    'linalg.* cholesky* matrix_* qr svd self_adjoint_* cross einsum tensordot invert_permutation meshgrid',
  ],
  [
    'Rare functions of numbers',
    'Not here, until a program needs them; those with a short form are in the table above.',
    'acos* asin* atan* betainc bessel_* digamma igamma* lbeta lgamma polygamma zeta nextafter polyval cumprod cumulative_logsumexp bincount histogram_* searchsorted math.*',
  ],
  [
    'Rare draws',
    'Uniform, normal and truncated normal numbers, classes and shuffles are here; each takes a `seed`, and the same seed gives the same bits.',
    'random_* random.* *candidate_sampler nn.compute_accidental_hits nn.nce_loss nn.sampled_softmax_loss distributions',
  ],
  [
    'Images, volumes, and other windows',
    'Images are rows of numbers when they come; convolutions and pools have two dimensions, or one.',
    'image *3d* *pool1d* *pooling1d *conv1d* *separable_* *conv2d_transpose* *_to_space *space_to_* batch_to_space* required_space_to_batch_paddings with_space_to_batch extract_* nn.fractional_* nn.max_pool_with_argmax nn.*backprop* nn.atrous_* nn.dilation2d nn.erosion2d nn.with_space_to_batch',
  ],
  [
    'Metrics, losses and rates that are not here yet',
    '`tf.metrics.mean` of what you compute counts over batches; `tf.confusionMatrix` has what most others need.',
    'metrics.* losses.* train.noisy_* nn.ctc_* nn.collapse_repeated nn.log_poisson_loss nn.weighted_moments nn.normalize_moments nn.sufficient_statistics train.sdca_*',
  ],
  [
    'Files of checkpoints',
    'A folder of checkpoints is kept by the Saver (`maxToKeep`); `tf.train.latestCheckpoint` finds the newest.',
    'train.*checkpoint* train.experimental',
  ],
  [
    'Errors that never come',
    'Errors name what happened: see `tf.MillraceError`. End of a queue, a deadline, permissions of a cluster do not happen here.',
    'errors.*',
  ],
  ['Modules of other names', 'What is in them is at the top, under `tf`.', 'math linalg random errors'],
  [
    'Small things',
    'Not here, until a program needs them.',
    'clip_by_average_norm guarantee_const identity_n tuple batch_gather reverse_sequence roll unravel_index truncatemod no_regularizer manip experimental',
  ],
];

const camel = (name: string) =>
  /^[A-Z]/.test(name) ? name : name.replace(/_(\w)/g, (_, c: string) => c.toUpperCase());
const capital = (name: string) => name[0].toUpperCase() + name.slice(1);
/** Where the names of a module are here, if not in one of its name. */
const elsewhere: Readonly<Record<string, (name: string) => readonly string[]>> = {
  'tf.math': (name) => [`tf.${name}`, `tf.nn.${name}`],
  'tf.linalg': (name) => [`tf.${name}`, `tf.nn.${name}`],
  'tf.random': (name) => [`tf.${name}`, `tf.random${capital(name)}`],
  'tf.errors': (name) => [`tf.${name}`],
};

/** What becomes of a name. */
export type Fate =
  | { readonly kind: 'here'; readonly name: string }
  | { readonly kind: 'renamed'; readonly name: string; readonly note: string }
  | { readonly kind: 'written'; readonly as: string }
  | { readonly kind: 'absent'; readonly group: string }
  | { readonly kind: 'unknown' };

/** The parts of a name: its module, and the rest. */
const partsOf = (name: string): [module: string, bare: string] => {
  const at = name.lastIndexOf('.');
  return [name.slice(0, at), name.slice(at + 1)];
};
const matches = (pattern: string, name: string) =>
  new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(name);

/** The same for an alias as for what it stands for, unless it has an entry of its own. */
function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  const [module, bare] = partsOf(name);
  return table[name] ?? (module in elsewhere ? (table[`tf.${bare}`] ?? table[`tf.nn.${bare}`]) : undefined);
}

export function fateOf(name: string): Fate {
  const [module, bare] = partsOf(name);
  const candidates = [`${module}.${camel(bare)}`, ...(elsewhere[module]?.(camel(bare)) ?? [])];
  const here = candidates.find((candidate) => ours.has(candidate));
  if (here) return { kind: 'here', name: here };
  const [other, note = ''] = own(renamed, name) ?? [];
  if (other && ours.has(other)) return { kind: 'renamed', name: other, note };
  const as = own(written, name);
  if (as) return { kind: 'written', as };
  const path = name.slice(3);
  const isAlias = module in elsewhere && module !== 'tf.errors';
  const group = groups.find(([, , patterns]) =>
    patterns.split(/ +/).some((pattern) => matches(pattern, path) || (isAlias && matches(pattern, bare))),
  );
  return group ? { kind: 'absent', group: group[0] } : { kind: 'unknown' };
}

/** Entries that say nothing: of names that TensorFlow does not have. */
export const idle = (): string[] =>
  [...Object.keys(renamed), ...Object.keys(written)].filter((name) => !theirs.includes(name));
