// SPDX-License-Identifier: MIT
/// What the fingerprint is made with: a hash of bits, inputs that are the same everywhere, and the
/// report that compares the sets of kernels.
#pragma once

#include <bit>
#include <cstdint>
#include <functional>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "eigenformer/core/context.hpp"
#include "eigenformer/core/matrix.hpp"
#include "eigenformer/core/random.hpp"
#include "eigenformer/core/thread_pool.hpp"
#include "eigenformer/kernels/cpu.hpp"
#include "eigenformer/kernels/dispatch.hpp"

namespace fingerprint {

using namespace eigenformer;
using kernels::KernelTable;
using Floats = std::vector<float>;

/// Of bits; all NaNs count as one, because their payloads differ between processors.
class Hash {
 public:
  void add(std::uint32_t word) {
    state_ = (state_ ^ word) * 0x9e3779b97f4a7c15u;
    state_ ^= state_ >> 32;
  }
  void add(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    add((bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : bits);
  }
  void add(double x) {
    auto bits = std::bit_cast<std::uint64_t>(x);
    if ((bits & 0x7fffffffffffffffu) > 0x7ff0000000000000u) bits = 0x7ff8000000000000u;
    add(static_cast<std::uint32_t>(bits));
    add(static_cast<std::uint32_t>(bits >> 32));
  }
  template <class Numbers>
  void add_all(const Numbers& numbers) {
    for (const auto x : numbers) add(x);
  }
  void add_all(const Matrix<float>& m) {
    for (Index i = 0; i < m.size(); ++i) add(m.data()[i]);
  }
  std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325u;
};

/// What inputs are made of. Made without a sum of products, so that they are the same themselves.
enum class Kind {
  plain,     ///< in [-4, 4)
  special,   ///< the same, with infinities, NaNs, zeros, and the ends of ranges among them
  denormal,  ///< below the least normal float
  spread,    ///< in (-110, 0]: exp gives denormals for many of them
};
inline constexpr Kind kinds[] = {Kind::plain, Kind::special, Kind::denormal, Kind::spread};

inline float number(Kind kind, RandomStream& stream) {
  constexpr std::uint32_t special[] = {
      0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x00800000, 0x7f7fffff,
      0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0x3f200000, 0x3f800000, 0xbf800000,
      0x40800000, 0x42b17218, 0x42b20000, 0xc2aeac50, 0xc2cff1b5, 0xc2d00000, 0x5d5e0b6b};
  const std::uint32_t bits = stream.bits();
  if (kind == Kind::denormal) return std::bit_cast<float>(bits & 0x807fffffu);
  if (kind == Kind::spread) return static_cast<float>(bits >> 8) * 0x1p-24f * -110.0f;
  if (kind == Kind::special && bits % 13 == 0) {
    return std::bit_cast<float>(special[stream.bits() % std::size(special)]);
  }
  return static_cast<float>(static_cast<std::int32_t>(bits) >> 8) * 0x1p-21f;
}

inline Floats floats(Kind kind, std::uint64_t seed, Index n) {
  RandomStream stream(seed, static_cast<std::uint64_t>(kind), 0);
  Floats values(static_cast<std::size_t>(n));
  for (float& value : values) value = number(kind, stream);
  return values;
}

/// Around the width of the vectors, and some longer.
inline constexpr Index sizes[] = {1,  2,  3,  4,  5,  7,  8,  9,  15, 16,  17,  23,   24,   25,
                                  31, 32, 33, 47, 48, 49, 63, 64, 65, 127, 128, 1023, 1025, 2500};

/// [row_count, cols].
inline Matrix<float> matrix(Kind kind, std::uint64_t seed, Index row_count, Index cols) {
  const Floats values = floats(kind, seed, row_count * cols);
  return Matrix<float>(MatrixView<const float>(values.data(), row_count, cols));
}

/// The sets of kernels that run here and promise the same bits, the definition first.
inline std::vector<const KernelTable*> exact_tables() {
  std::vector<const KernelTable*> tables = {&kernels::reference::table};
  for (const Isa isa : all_isas) {
    if (isa > Isa::portable && kernels::find_table(isa)) tables.push_back(kernels::find_table(isa));
  }
  return tables;
}

/// Prints the lines, and counts what is not as it should be.
class Report {
 public:
  using Compute = std::function<void(Hash&)>;

  /// `group`: what the names of operations begin with.
  explicit Report(std::string group = "operations") : group_(std::move(group)) {}

  /// What has no table.
  void function(const std::string& name, const Compute& compute) { print(name, hash_of(compute)); }

  /// compute(hash, table) for each table.
  void kernel(const std::string& name,
              const std::function<void(Hash&, const KernelTable&)>& compute) {
    std::vector<Variant> variants;
    for (const KernelTable* const table : tables_) {
      variants.push_back({isa(*table), [&compute, table](Hash& hash) { compute(hash, *table); }});
    }
    print_if_equal(name, variants);
  }

  /// compute(hash, context) for each table, on one thread and on three.
  void operation(const std::string& name, const std::function<void(Hash&, Context&)>& compute) {
    std::vector<Variant> variants;
    for (const KernelTable* const table : tables_) {
      variants.push_back({isa(*table), [&compute, table](Hash& hash) {
                            Context context(*table);
                            compute(hash, context);
                          }});
      variants.push_back({isa(*table) + " on threads", [this, &compute, table](Hash& hash) {
                            Context context(*table, pool_);
                            compute(hash, context);
                          }});
    }
    print_if_equal(group_ + "." + name, variants);
  }

  /// The fastest set of kernels that took part.
  std::string fastest() const { return isa(*tables_.back()); }
  int failures() const { return failures_; }

 private:
  struct Variant {
    std::string name;
    Compute compute;
  };

  static std::string isa(const KernelTable& table) { return eigenformer::name(table.isa); }
  static std::uint64_t hash_of(const Compute& compute) {
    Hash hash;
    compute(hash);
    return hash.value();
  }
  static void print(const std::string& name, std::uint64_t value) {
    std::cout << name << ' ' << std::hex << std::setfill('0') << std::setw(16) << value << '\n';
  }
  void print_if_equal(const std::string& name, const std::vector<Variant>& variants) {
    const std::uint64_t expected = hash_of(variants.front().compute);
    print(name, expected);
    for (const Variant& variant : variants) {
      if (hash_of(variant.compute) == expected) continue;
      ++failures_;
      std::cout << name << ": " << variant.name << " differs from the reference\n";
    }
  }

  std::string group_;
  std::vector<const KernelTable*> tables_ = exact_tables();
  ThreadPool pool_{3};
  int failures_ = 0;
};

}  // namespace fingerprint
