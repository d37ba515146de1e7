// SPDX-License-Identifier: MIT
// Reading as fast as an instruction set can. Included, by peak.hpp, into a namespace that defines
// EIGENFORMER_TARGET (its attribute) and vector_bytes (its registers).

using Vector = std::uint64_t __attribute__((vector_size(vector_bytes), may_alias));

/// Reads `bytes`, a multiple of 64, at 64-byte aligned `data`, `passes` times: Streams places at a
/// time, far apart, which is what memory likes best on some processors.
template <int Streams>
EIGENFORMER_TARGET inline void read(const std::byte* data, Index bytes, Index passes) {
  constexpr int in_turn = 8 / Streams;  // vectors of a stream
  constexpr Index step = in_turn * vector_bytes;
  const Index stream = bytes / Streams / step * step;
  Vector any[8] = {};
  for (Index pass = 0; pass < passes; ++pass) {
    benchmark::ClobberMemory();
    for (Index i = 0; i < stream; i += step) {
      EIGENFORMER_UNROLL
      for (int v = 0; v < 8; ++v) {
        const Index place = v / in_turn * stream + i + v % in_turn * vector_bytes;
        any[v] |= *reinterpret_cast<const Vector*>(data + place);
      }
    }
    for (Index i = Streams * stream; i < bytes; i += vector_bytes) {
      any[0] |= *reinterpret_cast<const Vector*>(data + i);
    }
  }
  for (int v = 1; v < 8; ++v) any[0] |= any[v];
  std::uint64_t seen = 0;
  for (int i = 0; i < vector_bytes / 8; ++i) seen |= any[0][i];
  benchmark::DoNotOptimize(seen);
}
