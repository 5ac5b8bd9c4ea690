// The C text before every program: the types of values, and the operations that C has no sign for.

/** What `run` is called with; the runtime library knows the same struct. All fields have 8 bytes. */
export const callStruct = `typedef float f32;
typedef double f64;
typedef unsigned char u8;
typedef int i32;
typedef unsigned int u32;
typedef long long i64;
typedef unsigned long long u64;
struct call {
  i32 (*run)(const struct call *, i64 thread);
  char **table;
  char *arena;
  char *own;
  i64 own_bytes;
  i64 most;
  f64 *times;
  i64 times_of_thread;
  /* Filled by the runtime library: how many threads compute, of the most that may. */
  i64 threads;
  void (*wait)(void);
  f64 (*now)(void);
};
`;

const lanesOf = (vectorBytes: number, bytes: number, f: (lane: number) => string): string =>
  Array.from({ length: vectorBytes / bytes }, (_, lane) => f(lane)).join(', ');

/** The names of C that belong to a kind of float. */
interface FloatNames {
  /** Of vectors and scalars. */
  readonly v: string;
  readonly s: string;
  /** Of vectors of integers as wide, and of their lanes. */
  readonly i: string;
  readonly lane: string;
  /** Behind constants and the names of functions. */
  readonly suffix: string;
}
const single: FloatNames = { v: 'vf', s: 'f32', i: 'vi', lane: 'i32', suffix: 'f' };
const double: FloatNames = { v: 'vd', s: 'f64', i: 'vl', lane: 'i64', suffix: '' };

/** Operations on scalars and vectors of one kind of float. */
const floats = ({ v, s, i, lane, suffix }: FloatNames, vectorBytes: number): string => {
  const each = (f: (lane: number) => string) => lanesOf(vectorBytes, s === 'f32' ? 4 : 8, f);
  return `
INLINE ${v} splat_${v}(${s} x) { return (${v}){${each(() => 'x')}}; }
INLINE ${v} select_${v}(${i} m, ${v} a, ${v} b) { return (${v})((m & (${i})a) | (~m & (${i})b)); }
INLINE ${v} abs_${v}(${v} a) { return (${v})((${i})a & ~splat_${i}((${lane})1 << (sizeof(${lane}) * 8 - 2) << 1)); }
INLINE ${v} neg_${v}(${v} a) { return (${v})((${i})a ^ splat_${i}((${lane})1 << (sizeof(${lane}) * 8 - 2) << 1)); }
INLINE ${v} min_fast_${v}(${v} a, ${v} b) { return select_${v}((${i})(b < a), b, a); }
INLINE ${v} max_fast_${v}(${v} a, ${v} b) { return select_${v}((${i})(a < b), b, a); }
/* Of zeros the negative one is less; where one is NaN the bits of both together are a NaN. */
INLINE ${v} min_${v}(${v} a, ${v} b) {
  return select_${v}((${i})(a < b), a, select_${v}((${i})(b < a), b, (${v})((${i})a | (${i})b)));
}
INLINE ${v} max_${v}(${v} a, ${v} b) {
  ${v} same = select_${v}((${i})(a == b), (${v})((${i})a & (${i})b), (${v})((${i})a | (${i})b));
  return select_${v}((${i})(b < a), a, select_${v}((${i})(a < b), b, same));
}
INLINE ${s} min_fast_${s}(${s} a, ${s} b) { return b < a ? b : a; }
INLINE ${s} max_fast_${s}(${s} a, ${s} b) { return a < b ? b : a; }
INLINE ${s} min_${s}(${s} a, ${s} b) { return a < b ? a : b < a ? b : a == b ? (__builtin_signbit(a) ? a : b) : a + b; }
INLINE ${s} max_${s}(${s} a, ${s} b) { return b < a ? a : a < b ? b : a == b ? (__builtin_signbit(a) ? b : a) : a + b; }
INLINE i32 to_i32_${s}(${s} a) {
  return a != a ? 0 : a >= 2147483648.0${suffix} ? 2147483647 : a <= -2147483648.0${suffix} ? -2147483647 - 1 : (i32)a;
}
#if defined(FUSED) && defined(__x86_64__)
#define ACCUMULATE_${v}(x, a, b) __asm__("vfmadd231${v === 'vf' ? 'ps' : 'pd'} %2, %1, %0" : "+${vectorBytes === 64 ? 'v' : 'x'}"(x) : "${vectorBytes === 64 ? 'v' : 'x'}"(a), "${vectorBytes === 64 ? 'v' : 'x'}"(b));
#else
#define ACCUMULATE_${v}(x, a, b) x = fma_${v}(a, b, x);
#endif
#ifdef FUSED
#if __has_builtin(__builtin_elementwise_fma)
INLINE ${v} fma_${v}(${v} a, ${v} b, ${v} c) { return __builtin_elementwise_fma(a, b, c); }
#elif defined(__x86_64__) && VECTOR == 64
INLINE ${v} fma_${v}(${v} a, ${v} b, ${v} c) { return __builtin_ia32_vfmadd${v === 'vf' ? 'ps' : 'pd'}512_mask(a, b, c, -1, 4); }
#elif defined(__x86_64__)
#if VECTOR == 32
INLINE ${v} fma_${v}(${v} a, ${v} b, ${v} c) { return __builtin_ia32_vfmadd${v === 'vf' ? 'ps' : 'pd'}256(a, b, c); }
#else
INLINE ${v} fma_${v}(${v} a, ${v} b, ${v} c) { return __builtin_ia32_vfmadd${v === 'vf' ? 'ps' : 'pd'}(a, b, c); }
#endif
#elif defined(__aarch64__)
/* One instruction; the asm keeps it so whatever the compiler thinks of contraction. */
INLINE ${v} fma_${v}(${v} a, ${v} b, ${v} c) {
  __asm__("fmla %0.${v === 'vf' ? '4s' : '2d'}, %1.${v === 'vf' ? '4s' : '2d'}, %2.${v === 'vf' ? '4s' : '2d'}" : "+w"(c) : "w"(a), "w"(b));
  return c;
}
#else
INLINE ${v} fma_${v}(${v} a, ${v} b, ${v} c) { return (${v}){${each((l) => `__builtin_fma${suffix}(a[${l}], b[${l}], c[${l}])`)}}; }
#endif
#define fma_${s} __builtin_fma${suffix}
#else
#define fma_${v}(a, b, c) ((a) * (b) + (c))
#define fma_${s}(a, b, c) ((a) * (b) + (c))
#endif
${rounding(v, s, suffix, each)}${remainder(v, s, i)}`;
};

/**
 * What is left of a after subtracting b as often as it goes, by long division: `t` is b times a power of two, each digit
 * `q` has so few bits that its products with the two halves of `t` are exact, and what is subtracted leaves no more bits
 * than a number has. Mostly there is one digit.
 */
function remainder(v: string, s: string, i: string): string {
  const [digit, halfMask] = s === 'f32' ? ['4096', '~0xfff'] : ['2097152', '~0xffffffffll'];
  return `INLINE ${v} remainder_${v}(${v} a, ${v} b) {
  ${v} size = abs_${v}(a), d = abs_${v}(b);
  ${i} fits = (${i})(size < splat_${v}(__builtin_inf())) & (${i})(d > splat_${v}(0));
  ${v} r = select_${v}(fits, size, splat_${v}(0)), t = d = select_${v}(fits, d, splat_${v}(1));
  for (;;) {
    ${i} more = (${i})(t <= r * (${s})(1.0 / ${digit}));
    if (!any_${i}(more)) break;
    t = select_${v}(more, t * (${s})${digit}, t);
  }
  for (;;) {
    ${v} q = floor_${v}(r / t), high = (${v})((${i})t & splat_${i}(${halfMask}));
    ${v} next = (r - q * high) - q * (t - high);
    next += (${v})((${i})(next < splat_${v}(0)) & (${i})t);
    r = select_${v}((${i})(t <= r), next, r);
    ${i} more = (${i})(t > d);
    if (!any_${i}(more)) break;
    t = select_${v}(more, t * (${s})(1.0 / ${digit}), t);
  }
  ${i} sign = (${i})a & (${i})splat_${v}(-0.0);
  return select_${v}(fits, (${v})((${i})r | sign), splat_${v}(__builtin_nan("")));
}
INLINE ${s} remainder_${s}(${s} a, ${s} b) { return remainder_${v}(splat_${v}(a), splat_${v}(b))[0]; }
`;
}

/** sqrt, floor and nearest: an instruction where there is one. */
function rounding(v: string, s: string, suffix: string, each: (f: (lane: number) => string) => string): string {
  const x86 = s === 'f32' ? 'ps' : 'pd';
  const arm = s === 'f32' ? '4s' : '2d';
  const one = (name: string, text: string, constraint: string) =>
    `INLINE ${v} ${name}_${v}(${v} a) { ${v} r; __asm__("${text}" : "=${constraint}"(r) : "${constraint}"(a)); return r; }\n`;
  const byLane = (name: string, builtin: string) =>
    `INLINE ${v} ${name}_${v}(${v} a) { return (${v}){${each((l) => `__builtin_${builtin}${suffix}(a[${l}])`)}}; }\n`;
  const wide = `vrndscale${x86}`;
  return `#if defined(__x86_64__) && VECTOR == 64
${one('sqrt', `vsqrt${x86} %1, %0`, 'v')}${one('floor', `${wide} $9, %1, %0`, 'v')}${one('nearest', `${wide} $8, %1, %0`, 'v')}#elif defined(__AVX__)
${one('sqrt', `vsqrt${x86} %1, %0`, 'x')}${one('floor', `vround${x86} $9, %1, %0`, 'x')}${one('nearest', `vround${x86} $8, %1, %0`, 'x')}#elif defined(__SSE4_1__)
${one('sqrt', `sqrt${x86} %1, %0`, 'x')}${one('floor', `round${x86} $9, %1, %0`, 'x')}${one('nearest', `round${x86} $8, %1, %0`, 'x')}#elif defined(__aarch64__)
${one('sqrt', `fsqrt %0.${arm}, %1.${arm}`, 'w')}${one('floor', `frintm %0.${arm}, %1.${arm}`, 'w')}${one('nearest', `frintn %0.${arm}, %1.${arm}`, 'w')}#else
${byLane('sqrt', 'sqrt')}${byLane('floor', 'floor')}${byLane('nearest', 'rint')}#endif
`;
}

/**
 * Loads and stores of the first lanes of a vector, which touch no more: with a mask, in a register of its own kind or in
 * a vector. Machines without either never have them. AddressSanitizer does not look into assembly, so there they are
 * loads and stores of elements.
 */
function partial(vectorBytes: number): string {
  if (vectorBytes < 32) return '';
  const wide = vectorBytes === 64;
  const kinds = [
    ['vf', 'f32', 4, 'ps', 'vi'],
    ['vi', 'i32', 4, 'ps', 'vi'],
    ['vd', 'f64', 8, 'pd', 'vl'],
  ] as const;
  const byElement = kinds.map(
    ([v, s, bytes]) => `INLINE ${v} first_${v}(const char *p, const int n) {
  ${v} r = {0};
  for (int l = 0; l < n; l++) r[l] = AT(${s}, p + ${bytes} * l);
  return r;
}
INLINE void put_first_${v}(char *p, const int n, ${v} x) {
  for (int l = 0; l < n; l++) TO(${s}, p + ${bytes} * l) = x[l];
}
`,
  );
  const functions = kinds.map(([v, , bytes, suffix, mask]) => {
    const lanes = lanesOf(vectorBytes, bytes, (l) => `${l} < n ? -1 : 0`);
    const part = `struct part_${v} { char bytes[${vectorBytes}]; } __attribute__((may_alias));`;
    const [m, load, store] = wide
      ? ['"Yk"((unsigned short)((1u << n) - 1))', `vmovu${suffix} %1, %0 %{%2%}%{z%}`, `vmovu${suffix} %1, %0 %{%2%}`]
      : [`"x"((${mask}){${lanes}})`, `vmaskmov${suffix} %1, %2, %0`, `vmaskmov${suffix} %1, %2, %0`];
    const register = wide ? 'v' : 'x';
    return `${part}
INLINE ${v} first_${v}(const char *p, const int n) {
  ${v} r;
  __asm__("${load}" : "=${register}"(r) : "m"(*(const struct part_${v} *)p), ${m});
  return r;
}
INLINE void put_first_${v}(char *p, const int n, ${v} x) {
  __asm__("${store}" : "+m"(*(struct part_${v} *)p) : "${register}"(x), ${m});
}
`;
  });
  return `#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
${byElement.join('')}#elif defined(__x86_64__)
${functions.join('')}#endif
`;
}

/** The text for vectors of so many bytes; `fused` says whether multiplyAdd rounds once. */
export function prelude(vectorBytes: number, fused: boolean): string {
  const vector = (name: string, of: string, bytes: number, align: number) =>
    `typedef ${of} ${name} __attribute__((vector_size(${bytes})));
typedef ${of} u${name} __attribute__((vector_size(${bytes}), aligned(${align}), may_alias));
`;
  const b = vectorBytes;
  return `${callStruct}#define VECTOR ${b}
${fused ? '#define FUSED 1\n' : ''}#ifndef __has_builtin
#define __has_builtin(x) 0
#endif
#ifndef __has_feature
#define __has_feature(x) 0
#endif
/* A kernel is compiled for itself; what only calls kernels needs no optimization. */
#ifdef __clang__
#define KERNEL __attribute__((noinline))
#define STEPS __attribute__((noinline, optnone))
#else
#define KERNEL __attribute__((noipa))
#define STEPS __attribute__((noipa, optimize("O0")))
#endif
#define INLINE static inline __attribute__((always_inline))
${vector('vf', 'f32', b, 4)}${vector('vd', 'f64', b, 8)}${vector('vi', 'i32', b, 4)}${vector('vu', 'u32', b, 4)}${vector('vl', 'i64', b, 8)}${vector('vq', 'u64', b, 8)}${vector('nb', 'u8', b / 4, 1)}${vector('wb', 'u8', b / 8, 1)}_Static_assert(sizeof(vf) == VECTOR && sizeof(vi) == VECTOR, "this compiler does not know vector_size");
#define AT(type, p) (*(const type *)(p))
#define TO(type, p) (*(type *)(p))
/* GCC would load the vector again for every use of it. */
#if defined(__clang__) || !(defined(__x86_64__) || defined(__aarch64__))
#define PIN(x)
#elif defined(__x86_64__)
#define PIN(x) __asm__("" : "+${b === 64 ? 'v' : 'x'}"(x));
#else
#define PIN(x) __asm__("" : "+w"(x));
#endif
#if __has_builtin(__builtin_shufflevector)
#define SHUFFLE(type, a, b, ...) ((type)__builtin_shufflevector(a, b, __VA_ARGS__))
#else
#define SHUFFLE(type, a, b, ...) ((type)__builtin_shuffle(a, b, (__typeof__((a) < (b))){__VA_ARGS__}))
#endif
#ifdef __clang__
#define KEEP(x)
#else
#define KEEP(x) __asm__("" : "+r"(x));
#endif
INLINE vi splat_vi(i32 x) { return (vi){${lanesOf(b, 4, () => 'x')}}; }
INLINE vl splat_vl(i64 x) { return (vl){${lanesOf(b, 8, () => 'x')}}; }
INLINE vi select_vi(vi m, vi a, vi b) { return (m & a) | (~m & b); }
INLINE vl select_vl(vl m, vl a, vl b) { return (m & a) | (~m & b); }
INLINE i32 any_vl(vl m) {
  i64 some = 0;
  for (int l = 0; l < VECTOR / 8; l++) some |= m[l];
  return some != 0;
}
INLINE i32 any_vi(vi m) { return any_vl((vl)m); }
${floats(single, b)}${floats(double, b)}
INLINE vi to_vi(vf a) {
  vi high = a >= splat_vf(2147483648.0f), low = a <= splat_vf(-2147483648.0f), none = a != a;
  vi inside = ~(high | low | none);
  vi r = __builtin_convertvector((vf)((vi)a & inside), vi);
  return (r & inside) | (high & splat_vi(2147483647)) | (low & splat_vi(-2147483647 - 1));
}
INLINE i32 abs_i32(i32 a) { return a < 0 ? (i32)(0u - (u32)a) : a; }
INLINE vi abs_vi(vi a) { return select_vi(a < splat_vi(0), (vi)((vu)splat_vi(0) - (vu)a), a); }
INLINE i32 min_i32(i32 a, i32 b) { return b < a ? b : a; }
INLINE i32 max_i32(i32 a, i32 b) { return a < b ? b : a; }
INLINE vi min_vi(vi a, vi b) { return select_vi(b < a, b, a); }
INLINE vi max_vi(vi a, vi b) { return select_vi(a < b, b, a); }
INLINE i32 mul_high_i32(i32 a, i32 b) { return (i32)(((u64)(u32)a * (u32)b) >> 32); }
#if defined(__x86_64__) && !defined(__clang__) && VECTOR == 64
#define PRODUCTS(a, b) ((vq)__builtin_ia32_pmuludq512_mask((vi)(a), (vi)(b), (vl)(a), -1))
#elif defined(__x86_64__) && !defined(__clang__)
#define PRODUCTS(a, b) ((vq)__builtin_ia32_pmuludq${b === 32 ? 256 : 128}((vi)(a), (vi)(b)))
#else
#define PRODUCTS(a, b) (((a) & (vq)splat_vl(0xffffffff)) * ((b) & (vq)splat_vl(0xffffffff)))
#endif
INLINE vi mul_high_vi(vi a, vi b) {
  vq even = PRODUCTS((vq)a, (vq)b), odd = PRODUCTS((vq)a >> 32, (vq)b >> 32);
  return (vi)((even >> 32) | (odd & ~(vq)splat_vl(0xffffffff)));
}
INLINE i32 bits_i32(f32 a) { i32 r; __builtin_memcpy(&r, &a, 4); return r; }
INLINE f32 bits_f32(i32 a) { f32 r; __builtin_memcpy(&r, &a, 4); return r; }
INLINE i32 half_f64(f64 a, i32 shift) { u64 r; __builtin_memcpy(&r, &a, 8); return (i32)(u32)(r >> shift); }
INLINE f64 join_f64(i32 low, i32 high) {
  u64 x = (u64)(u32)high << 32 | (u32)low;
  f64 r;
  __builtin_memcpy(&r, &x, 8);
  return r;
}
${partial(b)}/* The first iteration of a thread: they are divided evenly, the first threads taking one of the rest each. */
INLINE i64 share(i64 count, i64 thread, i64 threads) {
  i64 rest = count % threads;
  return count / threads * thread + (thread < rest ? thread : rest);
}
`;
}
