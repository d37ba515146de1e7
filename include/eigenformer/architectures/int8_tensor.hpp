// SPDX-License-Identifier: MIT
/// Weight matrices as integers in a file, with their scales in a tensor beside them: docs/int8.md.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eigenformer/core/int8.hpp"
#include "eigenformer/core/weight_matrix.hpp"
#include "eigenformer/io/json_document.hpp"
#include "eigenformer/io/tensor.hpp"
#include "eigenformer/io/tensor_values.hpp"

namespace eigenformer::inline v0 {

/// The tensor with the scales of the integers in `tensor`.
inline std::string int8_scale_name(const std::string& tensor) { return tensor + "_scale"; }

/// Above it, 127 of them would not be a number in f32 or bf16.
inline constexpr float largest_int8_scale = 2.6e36f;

/// How many rows of a weight matrix are in memory besides it while it is made: some 64 KB of them,
/// and whole panels.
inline Index rows_at_a_time(Index cols) {
  return round_up(std::max<Index>(1, 16'384 / std::max<Index>(1, cols)), lanes);
}

/// Something in a file that does not fit a parameter.
struct TensorFault {
  ErrorCode code;
  std::string text;
};

/// Rows of a tensor of integers, I8 [outputs, inputs], with their scales, F32 [outputs].
class Int8Tensor {
 public:
  /// The `rows` rows from `first` on of the tensor `name`, which is I8 of rank two and has them.
  /// `tensors` outlives it.
  Int8Tensor(const io::Tensors& tensors, const std::string& name, Index first, Index rows)
      : name_(name),
        tensor_(tensors.at(name)),
        scales_(tensors.find(int8_scale_name(name))),
        first_(first),
        rows_(rows) {}

  /// The first thing that makes them no weights of `parameter`; nothing: scales() and copy_to() may
  /// be called.
  std::optional<TensorFault> fault(const std::string& parameter) const {
    const std::string of = io::excerpt(int8_scale_name(name_)) + " for " + parameter;
    const auto wrong = [&](ErrorCode code, const std::string& expected, const std::string& got) {
      return TensorFault{code, of + ": expected " + expected + ", got " + got};
    };
    if (!scales_) return TensorFault{ErrorCode::missing_tensor, "missing " + of};
    const io::Shape shape = {tensor_.shape[0]};
    if (scales_->shape != shape) {
      return wrong(ErrorCode::shape_mismatch, io::text(shape), io::text(scales_->shape));
    }
    if (scales_->type != io::DataType::f32) {
      return wrong(ErrorCode::unsupported, "F32", std::string(io::name(scales_->type)));
    }
    for (Index row = first_; const float scale : scales()) {
      if (!(scale >= 0.0f && scale <= largest_int8_scale)) {
        return TensorFault{ErrorCode::format, of + ": row " + std::to_string(row) +
                                                  ": expected a number from 0 to 2.6e36, got " +
                                                  io::detail::number_text(double{scale})};
      }
      ++row;
    }
    return fault_of_integers(parameter);
  }

  /// [rows].
  std::vector<float> scales() const {
    std::vector<float> out(static_cast<std::size_t>(rows_));
    const auto bytes = scales_->bytes.subspan(static_cast<std::size_t>(first_) * sizeof(float),
                                              out.size() * sizeof(float));
    io::copy_values({io::DataType::f32, {rows_}, bytes}, std::span<float>(out));
    return out;
  }

  /// Gives the rows to a matrix of this shape, some at a time.
  template <class Scalar>
  void copy_to(WeightMatrix<Scalar>& weight) const {
    const std::vector<float> factors = scales();
    for_each_part([&](Index begin, Index count, std::span<const std::byte> integers) {
      weight.set_rows(begin, {reinterpret_cast<const std::int8_t*>(integers.data()),
                              factors.data() + begin, count, cols()});
    });
  }

 private:
  Index cols() const { return tensor_.shape[1]; }

  /// function(begin, count, bytes) for some panels of the rows at a time.
  template <class Function>
  void for_each_part(Function function) const {
    io::ByteBuffer buffer;
    const Index most = rows_at_a_time(cols());
    for (Index begin = 0; begin < rows_; begin += most) {
      const Index count = std::min(most, rows_ - begin);
      const auto bytes = tensor_.bytes.subspan(static_cast<std::size_t>((first_ + begin) * cols()),
                                               static_cast<std::size_t>(count * cols()));
      function(begin, count, bytes.in(buffer));
    }
  }

  /// Kernels move a sign from one factor of a product to the other, and -128 has no opposite.
  std::optional<TensorFault> fault_of_integers(const std::string& parameter) const {
    std::optional<TensorFault> out;
    for_each_part([&](Index begin, Index, std::span<const std::byte> integers) {
      if (out || integers.empty()) return;
      const void* const found = std::memchr(integers.data(), 0x80, integers.size());
      if (!found) return;
      const Index at = static_cast<const std::byte*>(found) - integers.data();
      out = {ErrorCode::format, io::excerpt(name_) + " for " + parameter + ": row " +
                                    std::to_string(first_ + begin + at / cols()) + ", column " +
                                    std::to_string(at % cols()) +
                                    ": expected -127 to 127, got -128"};
    });
    return out;
  }

  std::string name_;
  const io::TensorView& tensor_;
  const io::TensorView* scales_;
  Index first_, rows_;
};

/// The tensor of integers whose scales `name` are; nothing where there is none.
inline std::optional<std::string> tensor_scaled_by(const io::Tensors& tensors,
                                                   const std::string& name) {
  const std::string ending = int8_scale_name("");
  if (!name.ends_with(ending)) return std::nullopt;
  const std::string scaled = name.substr(0, name.size() - ending.size());
  const io::TensorView* const tensor = tensors.find(scaled);
  if (!tensor || tensor->type != io::DataType::i8) return std::nullopt;
  return scaled;
}

/// Whether the tensors `a` and `b` have the same numbers in the same form.
inline bool same_numbers(const io::Tensors& tensors, const std::string& a, const std::string& b) {
  const auto same = [](const io::TensorView& x, const io::TensorView& y) {
    return x.type == y.type && x.shape == y.shape && io::same_bytes(x.bytes, y.bytes);
  };
  if (!same(tensors.at(a), tensors.at(b))) return false;
  if (tensors.at(a).type != io::DataType::i8) return true;
  const io::TensorView* const scales = tensors.find(int8_scale_name(a));
  const io::TensorView* const others = tensors.find(int8_scale_name(b));
  return scales == others || (scales && others && same(*scales, *others));
}

}  // namespace eigenformer::inline v0
