// SPDX-License-Identifier: MIT
/// Weights into a model, all of them or an error that says everything that is wrong.
#pragma once

#include <algorithm>
#include <cmath>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "eigenformer/architectures/int8_tensor.hpp"
#include "eigenformer/architectures/names.hpp"
#include "eigenformer/io/json_document.hpp"
#include "eigenformer/io/tensor_values.hpp"
#include "eigenformer/layers/module.hpp"
#include "eigenformer/layers/transformer_config.hpp"

namespace eigenformer::inline v0 {

namespace detail {

/// Whether a parameter may come as integers with scales.
template <class Parameter>
inline constexpr bool is_weight = false;
template <class Scalar>
inline constexpr bool is_weight<WeightMatrix<Scalar>> = true;

/// The rows of a tensor that are a parameter of this shape.
inline Int8Tensor int8_tensor_of(const io::Tensors& tensors, const TensorSource& source,
                                 const ParameterShape& shape) {
  return {tensors, source.tensor, source.part * shape.rows, shape.rows};
}

/// What bind() has seen so far.
class Binding {
 public:
  Binding(const io::Tensors& tensors, const NameTable& names) : tensors_(tensors), names_(names) {}

  /// Looks at the tensor of a parameter; what does not fit becomes a line of the report.
  template <class Parameter>
  void check(const std::string& parameter, const Parameter& value) {
    const ParameterShape shape = shape_of(value);
    const std::optional<TensorSource> source = find_source(names_, parameter);
    const io::TensorView* const tensor = find(parameter, shape, source);
    if (!tensor || io::is_float(tensor->type)) return;
    if (is_weight<Parameter> && tensor->type == io::DataType::i8) {
      const auto fault = int8_tensor_of(tensors_, *source, shape).fault(parameter);
      if (fault) report(fault->code, fault->text);
      return;
    }
    report(ErrorCode::unsupported, io::excerpt(source->tensor) + " for " + parameter +
                                       ": expected F32, F16, BF16" +
                                       (is_weight<Parameter> ? ", F64 or I8" : " or F64") +
                                       ", got " + std::string(io::name(tensor->type)));
  }

  /// Throws the one error, unless there is nothing to say.
  void finish() {
    for (const io::NamedTensor& entry : tensors_) {
      // Scales go with their integers, whatever is wrong with those.
      const std::string name = tensor_scaled_by(tensors_, entry.name).value_or(entry.name);
      if (claimed_.count(name) == 0 && !is_ignored(names_, name)) {
        report(ErrorCode::missing_tensor, "nothing asks for " + io::excerpt(entry.name));
      }
    }
    if (lines_ == 0) return;
    if (lines_ > most_lines) {
      text_ += "\n  and " + std::to_string(lines_ - most_lines) + " more";
    }
    throw Error(code_, tensors_.file() + ": " + std::to_string(lines_) +
                           (lines_ == 1 ? " thing doesn't" : " things don't") +
                           " fit the model:" + text_);
  }

 private:
  static constexpr int most_lines = 1000;

  /// The tensor of a parameter with this shape, or nullptr and a line in the report.
  const io::TensorView* find(const std::string& parameter, const ParameterShape& shape,
                             const std::optional<TensorSource>& source) {
    if (!source) {
      report(ErrorCode::missing_tensor, "no line of the table names " + parameter);
      return nullptr;
    }
    const io::TensorView* const tensor = tensors_.find(source->tensor);
    if (!tensor) {
      report(ErrorCode::missing_tensor,
             "missing " + io::excerpt(source->tensor) + " for " + parameter);
      return nullptr;
    }
    claimed_.insert(source->tensor);
    io::Shape expected = {shape.rows * source->parts, shape.cols};
    if (shape.rank == 1) expected = {shape.cols * source->parts};
    const bool as_row = shape.rank == 1 && tensor->shape == io::Shape{1, expected[0]};
    if (tensor->shape != expected && !as_row) {
      report(ErrorCode::shape_mismatch, io::excerpt(source->tensor) + " for " + parameter +
                                            ": expected " + io::text(expected) + ", got " +
                                            io::text(tensor->shape));
      return nullptr;
    }
    return tensor;
  }

  void report(ErrorCode code, const std::string& line) {
    if (lines_++ == 0) code_ = code;
    if (lines_ <= most_lines) text_ += "\n  " + line;
  }

  const io::Tensors& tensors_;
  const NameTable& names_;
  std::set<std::string, std::less<>> claimed_;
  ErrorCode code_ = ErrorCode::missing_tensor;
  std::string text_;
  int lines_ = 0;
};

/// How many numbers the tensors hold that a model can take; what several of them share counts once.
inline double distinct_numbers(const io::Tensors& tensors) {
  std::vector<const io::TensorView*> order;
  for (const io::NamedTensor& entry : tensors) {
    const io::DataType type = entry.tensor.type;
    if (io::is_float(type) || type == io::DataType::i8) order.push_back(&entry.tensor);
  }
  std::sort(order.begin(), order.end(), [](const io::TensorView* a, const io::TensorView* b) {
    return a->bytes.place() < b->bytes.place();
  });
  double count = 0;
  auto end = io::TensorBytes().place();
  for (const io::TensorView* tensor : order) {
    const auto begin = tensor->bytes.place();
    const auto last = std::pair(begin.first, begin.second + tensor->bytes.size());
    const auto fresh = std::max(begin, end);
    if (fresh >= last) continue;
    count += static_cast<double>(last.second - fresh.second) /
             static_cast<double>(io::size_of(tensor->type));
    end = last;
  }
  return count;
}

/// Rows of a part of a tensor, as they are in the file.
inline io::TensorView rows_of(const io::TensorView& tensor, Index cols, Index first, Index count) {
  const std::size_t row = static_cast<std::size_t>(cols) * io::size_of(tensor.type);
  return {tensor.type,
          {count, cols},
          tensor.bytes.subspan(static_cast<std::size_t>(first) * row,
                               static_cast<std::size_t>(count) * row)};
}

/// value = the source's numbers, which have been found to fit. A weight matrix takes some rows at a
/// time, so that no other copy of it is in memory.
template <class Scalar, class Parameter>
void take_floats(Parameter& value, const io::Tensors& tensors, const TensorSource& source) {
  const auto [rows, cols, rank] = shape_of(value);
  const io::TensorView tensor = tensors.at(source.tensor);
  const Index begin = source.part * rows, most = is_weight<Parameter> ? rows_at_a_time(cols) : rows;
  Matrix<Scalar> numbers(std::min(most, rows), cols);
  for (Index first = 0; first < rows; first += most) {
    const Index count = std::min(most, rows - first);
    io::copy_values(rows_of(tensor, cols, begin + first, count),
                    std::span(numbers.data(), static_cast<std::size_t>(count * cols)));
    if constexpr (is_weight<Parameter>) {
      for (Index r = 0; r < count; ++r) value.set_row(first + r, numbers.data() + r * cols);
    } else {
      assign(value, MatrixView<const Scalar>(numbers));
    }
  }
}

/// The same; of a weight matrix they may be integers with scales.
template <class Scalar, class Parameter>
void take(Parameter& value, const io::Tensors& tensors, const TensorSource& source) {
  if constexpr (is_weight<Parameter>) {
    if (tensors.at(source.tensor).type == io::DataType::i8) {
      return int8_tensor_of(tensors, source, shape_of(value)).copy_to(value);
    }
  }
  take_floats<Scalar>(value, tensors, source);
}

}  // namespace detail

/// Throws Error(missing_tensor) unless the tensors, however named, hold the numbers that the config
/// asks for, and Error(format) for more positions than such tensors can want: a table of sinusoids
/// is made, not read, so no tensor's size bounds it; Error(unsupported) for int8 with rows so short
/// that padding would make most of a large model. Before a hostile config makes a model of any
/// size.
inline void expect_size(const TransformerConfig& config, const io::Tensors& tensors) {
  const double elements = detail::distinct_numbers(tensors);
  const double count = config.least_parameter_count();
  if (elements < count) {
    throw Error(ErrorCode::missing_tensor, tensors.file() + ": the config asks for at least " +
                                               io::detail::number_text(count) +
                                               " weights, the tensors have " +
                                               io::detail::number_text(elements));
  }
  const Index width = round_up(config.d_model, int8_step);
  const double padded = count * static_cast<double>(width) / static_cast<double>(config.d_model);
  if (config.storage == Storage::int8 && padded > 16 * elements + (1 << 24)) {
    throw Error(ErrorCode::unsupported,
                tensors.file() + ": rows of " + std::to_string(config.d_model) +
                    " numbers are too short for int8, which pads them to " + std::to_string(width));
  }
  const double most = (elements + (1 << 18)) / static_cast<double>(config.d_model);
  if (static_cast<double>(config.positions) > most) {
    throw Error(ErrorCode::format, tensors.file() + ": the config asks for " +
                                       std::to_string(config.positions) +
                                       " positions, for such a model at most " +
                                       io::detail::number_text(std::floor(most)) + " are expected");
  }
}

/// Gives each parameter of `module` its tensor. F64, F32, F16 and BF16 are widened or rounded to
/// what the parameter stores; a weight matrix may be I8 with scales, too (docs/int8.md). Throws ONE
/// Error with the code of the first trouble and a text with a line for each: every missing tensor,
/// every wrong shape, every type that is not such a one, scales and integers that are none, and
/// every tensor that neither a parameter nor the table's `ignored` claims. Then nothing has
/// changed. After an Error(io), of a file that cannot be read any more, or where memory is lacking,
/// some parameters have.
template <class Derived, class Scalar>
void bind(Module<Derived, Scalar>& module, const io::Tensors& tensors, const NameTable& names) {
  const FloatingPointGuard guard;
  detail::Binding binding(tensors, names);
  const auto& unchanged = module;
  unchanged.for_each_parameter(
      [&](const std::string& parameter, const auto& value) { binding.check(parameter, value); });
  binding.finish();
  module.for_each_parameter([&](const std::string& parameter, auto& value) {
    detail::take<Scalar>(value, tensors, *find_source(names, parameter));
  });
}

}  // namespace eigenformer::inline v0
