// The native peers, driven over stdin as the others are: OpenBLAS, oneDNN, the processor's peak and its memory.
// usage: native-peer WHO WHAT THREADS SIZE...   native-peers.mjs builds and starts it
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <vector>
#include <dlfcn.h>
#ifdef WITH_ONEDNN
#include <oneapi/dnnl/dnnl.hpp>
#endif

using Sizes = std::vector<long>;
/** What is measured: a step, and what it does, as a JSON object. */
struct Task {
  std::function<void()> step;
  std::string facts;
};

static std::vector<float> numbers(long count) {
  std::vector<float> all(count);
  for (long i = 0; i < count; i++) all[i] = float(i * 7919 % 1000) / 1000 - 0.5f;
  return all;
}
static std::string fact(const char* name, double value) {
  char text[80];
  std::snprintf(text, sizeof text, "\"%s\": %.0f", name, value);
  return text;
}

/** Does a share of the work on each thread. */
template <class Share> static void onThreads(int threads, Share share) {
  std::vector<std::thread> others;
  for (int i = 1; i < threads; i++) others.emplace_back(share, i);
  share(0);
  for (auto& other : others) other.join();
}

#if defined __AVX512F__
constexpr int lanes = 16;
#elif defined __AVX__
constexpr int lanes = 8;
#else
constexpr int lanes = 4;
#endif
typedef float Lanes __attribute__((vector_size(lanes * 4)));

/** Multiply-adds over registers alone, in chains enough that none waits for another. */
static Task peak(int threads) {
  constexpr int chains = 12;
  constexpr long rounds = 10'000'000;
  static volatile float factor = 0.999f, term = 1e-3f;
  [[maybe_unused]] static volatile float result;
  auto share = [](int) {
    Lanes x = Lanes{} + factor, y = Lanes{} + term, a[chains];
    for (int i = 0; i < chains; i++) a[i] = Lanes{} + float(i);
    for (long k = 0; k < rounds; k++)
#pragma GCC unroll 12
      for (int i = 0; i < chains; i++) a[i] = a[i] * x + y;
    for (int i = 1; i < chains; i++) a[0] += a[i];
    result = a[0][0];
  };
  return {[=] { onThreads(threads, share); },
          fact("flops", 2.0 * chains * lanes * rounds * threads) + ", " + fact("lanes", lanes)};
}

/**
 * Two arrays copied onto two others, as large as Adam's four are: so the caches help neither more. Where a copy goes must
 * often be fetched before it is written, which is not counted; so also `both ways`, each array onto the other.
 */
static Task copy(const std::string& what, int threads, const Sizes& sizes) {
  static auto from = numbers(2 * sizes[0]), to = numbers(2 * sizes[0]);
  const bool both = what == "both ways";
  const long times = 10;  // a step's: what threads take to start is nothing then
  auto share = [=](int id) {
    const long first = long(from.size()) * id / threads, last = long(from.size()) * (id + 1) / threads;
    float *a = &from[first], *b = &to[first];
    for (long i = 0; i < times; i++)
      if (both) std::swap_ranges(a, a + (last - first), b);
      else std::memcpy(b, a, (last - first) * sizeof(float));
  };
  return {[=] { onThreads(threads, share); }, fact("bytes", (both ? 4.0 : 2.0) * times * from.size() * sizeof(float))};
}

/** An array read, and nothing done with it that would take longer. */
static Task read(int threads, const Sizes& sizes) {
  static const auto from = numbers(sizes[0]);
  static volatile int result;
  typedef int Words __attribute__((vector_size(lanes * 4), aligned(4), may_alias));
  constexpr int side = 8;
  constexpr long step = side * lanes;
  auto share = [=](int id) {
    const long blocks = long(from.size()) / step, first = blocks * id / threads, last = blocks * (id + 1) / threads;
    Words all[side] = {};
    for (long i = first; i < last; i++)
#pragma GCC unroll 8
      for (int u = 0; u < side; u++) all[u] ^= *(const Words*)(from.data() + i * step + u * lanes);
    for (int u = 1; u < side; u++) all[0] ^= all[u];
    result = all[0][0];
  };
  return {[=] { onThreads(threads, share); }, fact("bytes", double(from.size() * sizeof(float)))};
}

/** Loaded when it is asked for, so that no headers of it are needed. */
static Task openblas(const Sizes& s) {
  void* library = dlopen("libopenblas.so.0", RTLD_NOW);
  if (!library) library = dlopen("libopenblas.so", RTLD_NOW);
  if (!library) throw std::runtime_error("OpenBLAS is not installed (Debian: libopenblas0-openmp)");
  using Sgemm = void (*)(int, int, int, int, int, int, float, const float*, int, const float*, int, float, float*, int);
  auto sgemm = reinterpret_cast<Sgemm>(dlsym(library, "cblas_sgemm"));
  if (!sgemm) throw std::runtime_error("this OpenBLAS has no cblas_sgemm");
  const int m = s[1], k = s[2], n = s[3], rowMajor = 101, asIs = 111;
  static auto a = numbers(long(m) * k), b = numbers(long(k) * n), c = numbers(long(m) * n);
  return {[=] { sgemm(rowMajor, asIs, asIs, m, n, k, 1, a.data(), k, b.data(), n, 0, c.data(), n); },
          fact("flops", 2.0 * m * n * k)};
}

#ifdef WITH_ONEDNN
using namespace dnnl;
using Format = memory::format_tag;

static memory::desc describe(memory::dims dims, Format format) { return {dims, memory::data_type::f32, format}; }
static memory filled(const memory::desc& desc, const engine& cpu) {
  memory result(desc, cpu);
  const auto values = numbers(desc.get_size() / sizeof(float));
  std::memcpy(result.get_data_handle(), values.data(), desc.get_size());
  return result;
}
/** What a primitive is to do; `hint`: the forward pass, for a backward one. Before oneDNN 3 it was an object of its own. */
template <class P, class... Hint, class... Rest>
static typename P::primitive_desc plan(const engine& cpu, const std::tuple<Rest...>& what, const Hint&... hint) {
  auto make = [&](const Rest&... rest) {
#if DNNL_VERSION_MAJOR >= 3
    return typename P::primitive_desc(cpu, rest..., hint...);
#else
    return typename P::primitive_desc({rest...}, cpu, hint...);
#endif
  };
  return std::apply(make, what);
}

/** Products of rows as they lie; convolutions in the layout that the library likes best, to which nothing is brought. */
static Task onednn(const std::string& what, const Sizes& s) {
  static engine cpu(engine::kind::cpu, 0);
  static stream queue(cpu);
  auto task = [](primitive p, const std::unordered_map<int, memory::desc>& operands, double flops) -> Task {
    std::unordered_map<int, memory> arguments;
    for (const auto& [name, desc] : operands) arguments.emplace(name, filled(desc, cpu));
    auto step = [=] {
      p.execute(queue, arguments);
      queue.wait();
    };
    return {step, fact("flops", flops)};
  };
  if (what == "matmul") {
    const long count = s[0], m = s[1], k = s[2], n = s[3];
    const auto a = describe({count, m, k}, Format::abc), b = describe({count, k, n}, Format::abc);
    const auto c = describe({count, m, n}, Format::abc);
    const matmul product(plan<matmul>(cpu, std::tuple(a, b, c)));
    return task(product, {{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}}, 2.0 * count * m * n * k);
  }
  // images, height and width, channels in and out, size of the filter
  const long images = s[0], size = s[1], in = s[2], out = s[3], window = s[4];
  const double flops = 2.0 * images * size * size * in * out * window * window;
  const auto way = algorithm::convolution_direct;  // oneDNN's Winograd is for filters of 3x3 only
  const auto x = describe({images, in, size, size}, Format::any), y = describe({images, out, size, size}, Format::any);
  const auto w = describe({out, in, window, window}, Format::any);
  const memory::dims strides{1, 1}, edge{window / 2, window / 2};
  const auto pass = std::tuple(way, x, w, y, strides, edge, edge);
  const auto forward = plan<convolution_forward>(cpu, std::tuple_cat(std::tuple(prop_kind::forward_training), pass));
  if (what == "forward") {
    return task(convolution_forward(forward),
                {{DNNL_ARG_SRC, forward.src_desc()}, {DNNL_ARG_WEIGHTS, forward.weights_desc()},
                 {DNNL_ARG_DST, forward.dst_desc()}}, flops);
  }
  if (what == "backward data") {
    const auto back = plan<convolution_backward_data>(cpu, pass, forward);
    return task(convolution_backward_data(back),
                {{DNNL_ARG_DIFF_SRC, back.diff_src_desc()}, {DNNL_ARG_WEIGHTS, back.weights_desc()},
                 {DNNL_ARG_DIFF_DST, back.diff_dst_desc()}}, flops);
  }
  const auto back = plan<convolution_backward_weights>(cpu, pass, forward);
  return task(convolution_backward_weights(back),
              {{DNNL_ARG_SRC, back.src_desc()}, {DNNL_ARG_DIFF_WEIGHTS, back.diff_weights_desc()},
               {DNNL_ARG_DIFF_DST, back.diff_dst_desc()}}, flops);
}
#else
static Task onednn(const std::string&, const Sizes&) {
  throw std::runtime_error("oneDNN is not installed (Debian: libdnnl-dev)");
}
#endif

static Task choose(const std::string& who, const std::string& what, int threads, const Sizes& sizes) {
  if (who == "OpenBLAS") return openblas(sizes);
  if (who == "oneDNN") return onednn(what, sizes);
  if (who == "read") return read(threads, sizes);
  if (who == "copy") return copy(what, threads, sizes);
  return peak(threads);
}

int main(int count, char** given) {
  if (count < 4) return 2;
  try {
    Sizes sizes;
    for (int i = 4; i < count; i++) sizes.push_back(std::atol(given[i]));
    const auto task = choose(given[1], given[2], std::atoi(given[3]), sizes);
    std::cout << "{" << task.facts << "}" << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
      std::cout << "[";
      for (int i = 0, steps = std::stoi(line); i < steps; i++) {
        const auto begin = std::chrono::steady_clock::now();
        task.step();
        const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - begin;
        std::cout << (i > 0 ? ", " : "") << time.count();
      }
      std::cout << "]" << std::endl;
    }
  } catch (const std::exception& error) {
    std::cerr << "Error: " << error.what() << std::endl;
    return 1;
  }
}
