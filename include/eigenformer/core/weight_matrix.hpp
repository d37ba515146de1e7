// SPDX-License-Identifier: MIT
/// Weights, packed at load into the one layout that every instruction set reads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <string>

#include "eigenformer/core/half.hpp"
#include "eigenformer/core/int8.hpp"
#include "eigenformer/core/matrix.hpp"
#include "eigenformer/core/storage.hpp"

namespace eigenformer::inline v0 {

/// The matrix W [outputs, inputs] of y = x W^T + b. The double one is the oracle's, plainly stored.
template <class Scalar>
class WeightMatrix;

/// Panels of 16 outputs, so that SIMD lanes are outputs and no sum is ever split: panel p holds
/// outputs 16 p to 16 p + 15, those past the end as zeros.
///
///     f32, f16  [outputs/16][inputs][16]
///     bf16      [outputs/16][inputs/2][16 outputs x 2 inputs], an odd last input paired with zero
///     int8      [outputs/16][inputs/4][16 outputs x 4 inputs], zeros up to a multiple of 64 inputs
template <>
class WeightMatrix<float> {
 public:
  WeightMatrix() = default;
  /// Zeros; outputs and inputs 0 or more. Throws std::bad_alloc; Error(unsupported) for more inputs
  /// than int8 can sum.
  WeightMatrix(Index outputs, Index inputs, Storage storage = Storage::f32)
      : outputs_(outputs),
        inputs_(inputs),
        storage_(storage),
        bytes_(checked_bytes()),
        scales_(storage == Storage::int8 ? panels() * lanes : 0),
        offsets_(storage == Storage::int8 ? panels() * lanes : 0) {}
  /// Packs `weight` [outputs, inputs]; 16-bit storages round to nearest, half to even, int8 as
  /// quantize_row() does.
  explicit WeightMatrix(MatrixView<const float> weight, Storage storage = Storage::f32)
      : WeightMatrix(weight.rows(), weight.cols(), storage) {
    for (Index output = 0; output < outputs_; ++output) set_row(output, weight.row(output));
  }

  /// Takes one output's weights, `row` [inputs], rounded as the constructor does.
  void set_row(Index output, const float* row) {
    EIGENFORMER_ASSERT(output >= 0 && output < outputs_);
    if (storage_ == Storage::int8) return store_int8_row(output, row);
    for (Index input = 0; input < inputs_; ++input) {
      std::byte* const element = bytes_.data() + byte_offset(output, input);
      switch (storage_) {
        case Storage::f32: *reinterpret_cast<float*>(element) = row[input]; break;
        case Storage::f16: *reinterpret_cast<Half*>(element) = to_half(row[input]); break;
        case Storage::bf16: *reinterpret_cast<Bfloat16*>(element) = to_bfloat16(row[input]); break;
        case Storage::int8: break;
      }
    }
  }

  /// Takes the weights of the outputs from `first`, a multiple of 16, on: int8 the very integers
  /// and scales, other storages each integer times its scale, in float, and then rounded to the
  /// storage.
  void set_rows(Index first, const Int8MatrixView& rows) {
    EIGENFORMER_ASSERT(first >= 0 && first % lanes == 0 && rows.rows <= outputs_ - first &&
                       rows.cols == inputs_);
    if (storage_ == Storage::int8) return take_integers(first, rows);
    Matrix<float> numbers(1, inputs_);
    for (Index r = 0; r < rows.rows; ++r) {
      const std::int8_t* const q = rows.row(r);
      for (Index i = 0; i < inputs_; ++i) {
        numbers.data()[i] = static_cast<float>(q[i]) * rows.scales[r];
      }
      set_row(first + r, numbers.data());
    }
  }

  Index outputs() const { return outputs_; }
  Index inputs() const { return inputs_; }
  Storage storage() const { return storage_; }
  Index panels() const { return divide_up(outputs_, lanes); }
  /// Of the whole packed matrix.
  std::size_t bytes() const { return bytes_.bytes() + scales_.bytes() + offsets_.bytes(); }
  /// Of one panel.
  Index panel_bytes() const {
    switch (storage_) {
      case Storage::f32: return inputs_ * lanes * Index{sizeof(float)};
      case Storage::f16: return inputs_ * lanes * Index{sizeof(Half)};
      case Storage::bf16: return round_up(inputs_, 2) * lanes * Index{sizeof(Bfloat16)};
      case Storage::int8: return round_up(inputs_, int8_step) * lanes;
    }
    return 0;
  }
  const std::byte* panel(Index p) const {
    EIGENFORMER_ASSERT(p >= 0 && p <= panels());
    return bytes_.data() + p * panel_bytes();
  }
  /// int8: the scale of each output [panels * 16]; otherwise nullptr.
  const float* scales() const { return scales_.data(); }
  /// int8: -128 times the sum of each output's integers [panels * 16], what a product of
  /// activations that have 128 added must begin with; otherwise nullptr.
  const std::int32_t* offsets() const { return offsets_.data(); }

  /// One weight, widened exactly; of int8, times its scale.
  float operator()(Index output, Index input) const {
    const std::byte* const element = bytes_.data() + byte_offset(output, input);
    switch (storage_) {
      case Storage::f32: return *reinterpret_cast<const float*>(element);
      case Storage::f16: return to_float(*reinterpret_cast<const Half*>(element));
      case Storage::bf16: return to_float(*reinterpret_cast<const Bfloat16*>(element));
      case Storage::int8:
        return static_cast<float>(*reinterpret_cast<const std::int8_t*>(element)) * scales_[output];
    }
    return 0;
  }
  /// The weights of one output, to `row` [inputs], widened exactly: an embedding's lookup.
  void copy_row(Index output, float* row) const {
    EIGENFORMER_ASSERT(output >= 0 && output < outputs_);
    switch (storage_) {
      case Storage::f32: return copy_lane<float, 1>(output, row, [](float x) { return x; });
      case Storage::f16: return copy_lane<Half, 1>(output, row, [](Half x) { return to_float(x); });
      case Storage::bf16:
        return copy_lane<Bfloat16, 2>(output, row, [](Bfloat16 x) { return to_float(x); });
      case Storage::int8:
        return copy_lane<std::int8_t, 4>(output, row, [scale = scales_[output]](std::int8_t x) {
          return static_cast<float>(x) * scale;
        });
    }
  }
  /// int8: the integers of one output, to `row` [inputs].
  void copy_integers(Index output, std::int8_t* row) const {
    EIGENFORMER_ASSERT(storage_ == Storage::int8 && output >= 0 && output < outputs_);
    copy_lane<std::int8_t, 4>(output, row, [](std::int8_t x) { return x; });
  }
  /// [outputs, inputs], widened exactly.
  Matrix<float> unpack() const {
    Matrix<float> weight(outputs_, inputs_);
    for (Index output = 0; output < outputs_; ++output) {
      copy_row(output, weight.data() + output * inputs_);
    }
    return weight;
  }

 private:
  Index checked_bytes() const {
    if (storage_ == Storage::int8 && inputs_ > most_int8_inputs) {
      throw Error(ErrorCode::unsupported, "a weight in int8 has at most " +
                                              std::to_string(most_int8_inputs) + " inputs, not " +
                                              std::to_string(inputs_));
    }
    constexpr Index most = Index{1} << 56;
    if (outputs_ < 0 || inputs_ < 0 || outputs_ > most || inputs_ > most / (2 * lanes) ||
        panels() > most / (2 * lanes * std::max<Index>(inputs_, 1))) {
      throw std::bad_array_new_length();
    }
    return panels() * panel_bytes();
  }
  /// Where a panel has a weight, counted in weights, if `group` inputs lie side by side.
  static constexpr Index place(Index lane, Index input, Index group) {
    return (input / group * lanes + lane) * group + input % group;
  }
  /// One output's weights, of which `Group` at a time lie side by side.
  template <class Weight, Index Group, class Number, class Convert>
  void copy_lane(Index output, Number* row, Convert convert) const {
    const auto* const weights = reinterpret_cast<const Weight*>(panel(output / lanes));
    for (Index input = 0; input < inputs_; ++input) {
      row[input] = convert(weights[place(output % lanes, input, Group)]);
    }
  }
  Index byte_offset(Index output, Index input) const {
    EIGENFORMER_ASSERT(output >= 0 && output < outputs_ && input >= 0 && input < inputs_);
    const Index in_panel = output / lanes * panel_bytes(), lane = output % lanes;
    switch (storage_) {
      case Storage::f32: return in_panel + place(lane, input, 1) * Index{sizeof(float)};
      case Storage::f16: return in_panel + place(lane, input, 1) * Index{sizeof(Half)};
      case Storage::bf16: return in_panel + place(lane, input, 2) * Index{sizeof(Bfloat16)};
      case Storage::int8: return in_panel + place(lane, input, 4);
    }
    return 0;
  }
  void store_int8_row(Index output, const float* row) {
    const Int8Scale scale = int8_scale(row, inputs_);
    std::int32_t sum = 0;
    for (Index input = 0; input < inputs_; ++input) {
      const std::int8_t q = quantized(row[input], scale);
      bytes_[byte_offset(output, input)] = static_cast<std::byte>(q);
      sum += q;
    }
    scales_[output] = scale.scale;
    offsets_[output] = -128 * sum;
  }
  /// Panel by panel, 16 rows at a time, and few enough inputs that their place in the panel stays
  /// in the first cache while all 16 go there.
  void take_integers(Index first, const Int8MatrixView& rows) {
    constexpr Index most = 256;
    for (Index begin = 0; begin < rows.rows; begin += lanes) {
      const Index output = first + begin, count = std::min(lanes, rows.rows - begin);
      std::int32_t sums[lanes] = {};
      for (Index input = 0; input < inputs_; input += most) {
        for (Index lane = 0; lane < count; ++lane) {
          sums[lane] +=
              copy_to_lane(rows.row(begin + lane) + input, std::min(most, inputs_ - input),
                           bytes_.data() + byte_offset(output + lane, input));
        }
      }
      for (Index lane = 0; lane < count; ++lane) {
        scales_[output + lane] = rows.scales[begin + lane];
        offsets_[output + lane] = -128 * sums[lane];
      }
    }
  }
  /// Integers [count] of a row to every 16th group of 4 bytes, from `to` on; returns their sum.
  static std::int32_t copy_to_lane(const std::int8_t* row, Index count, std::byte* to) {
    std::int32_t sum = 0;
    Index i = 0;
    for (; i + 4 <= count; i += 4) {
      std::memcpy(to + i * lanes, row + i, 4);
      sum += row[i] + row[i + 1] + row[i + 2] + row[i + 3];
    }
    if (i < count) std::memcpy(to + i * lanes, row + i, static_cast<std::size_t>(count - i));
    for (; i < count; ++i) sum += row[i];
    return sum;
  }

  Index outputs_ = 0;
  Index inputs_ = 0;
  Storage storage_ = Storage::f32;
  AlignedBuffer<std::byte> bytes_;
  AlignedBuffer<float> scales_;
  AlignedBuffer<std::int32_t> offsets_;
};

template <>
class WeightMatrix<double> {
 public:
  WeightMatrix() = default;
  WeightMatrix(Index outputs, Index inputs, Storage = Storage::f32) : weight_(outputs, inputs) {}
  explicit WeightMatrix(MatrixView<const double> weight, Storage = Storage::f32)
      : weight_(weight) {}

  /// Takes each integer times its scale, in float, for the outputs from `first` on.
  void set_rows(Index first, const Int8MatrixView& rows) {
    EIGENFORMER_ASSERT(first >= 0 && rows.rows <= outputs() - first && rows.cols == inputs());
    for (Index r = 0; r < rows.rows; ++r) {
      const std::int8_t* const q = rows.row(r);
      for (Index i = 0; i < rows.cols; ++i) {
        weight_(first + r, i) = double{static_cast<float>(q[i]) * rows.scales[r]};
      }
    }
  }

  void set_row(Index output, const double* row) {
    std::copy(row, row + inputs(), weight_.data() + output * inputs());
  }

  Index outputs() const { return weight_.rows(); }
  Index inputs() const { return weight_.cols(); }
  Storage storage() const { return Storage::f32; }  // the only one, whatever it is asked for
  std::size_t bytes() const { return static_cast<std::size_t>(weight_.size()) * sizeof(double); }
  double operator()(Index output, Index input) const { return weight_(output, input); }
  void copy_row(Index output, double* row) const {
    const double* const from = weight_.data() + output * inputs();
    std::copy(from, from + inputs(), row);
  }
  const Matrix<double>& unpack() const { return weight_; }

 private:
  Matrix<double> weight_;
};

}  // namespace eigenformer::inline v0
