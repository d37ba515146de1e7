// SPDX-License-Identifier: MIT
/// Errors: one type, a code to branch on, and a text that says where, what was expected, and what
/// was found.
#pragma once

#include <stdexcept>
#include <string>

#include "eigenformer/core/macros.hpp"

namespace eigenformer::inline v0 {

enum class ErrorCode {
  io,                ///< the operating system could not open, read or write
  format,            ///< a file is not what its name or header promises
  missing_tensor,    ///< a model lacks tensors or has unclaimed ones, a layer such a parameter
  shape_mismatch,    ///< a matrix has another shape than the layer or the file needs
  unsupported,       ///< understood, and not done by this version
  invalid_argument,  ///< an option or argument outside its documented range
  out_of_range,      ///< an id, index or position beyond its table
  out_of_memory,     ///< over the caller's budget, or the system's
  cancelled,         ///< the caller asked to stop
  not_a_number,      ///< a model computed a NaN or an infinity
};

/// The code's name, as in the enumeration.
constexpr const char* name(ErrorCode code) {
  switch (code) {
    case ErrorCode::io: return "io";
    case ErrorCode::format: return "format";
    case ErrorCode::missing_tensor: return "missing_tensor";
    case ErrorCode::shape_mismatch: return "shape_mismatch";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::invalid_argument: return "invalid_argument";
    case ErrorCode::out_of_range: return "out_of_range";
    case ErrorCode::out_of_memory: return "out_of_memory";
    case ErrorCode::cancelled: return "cancelled";
    case ErrorCode::not_a_number: return "not_a_number";
  }
  return "unknown";
}

/// Everything that the library throws on purpose.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& text) : std::runtime_error(text), code_(code) {}

  ErrorCode code() const noexcept { return code_; }
  /// The text; the code's name where there was no memory for one.
  const char* what() const noexcept override {
    const char* const text = std::runtime_error::what();
    return text[0] != '\0' ? text : name(code_);
  }

 private:
  ErrorCode code_;
};

}  // namespace eigenformer::inline v0
