// SPDX-License-Identifier: MIT
/// The tensors that the pickle of a torch state dict describes: of each its name, shape and
/// strides, and the storage that it is a view of. Where storages lie is the file format's matter.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eigenformer/core/error.hpp"
#include "eigenformer/io/limits.hpp"
#include "eigenformer/io/pickle_value.hpp"
#include "eigenformer/io/tensor.hpp"
#include "eigenformer/io/text.hpp"

namespace eigenformer::inline v0::io::detail {

// The names that a state dict of plain tensors needs, torch's storages from torch_storages on.
inline constexpr std::size_t ordered_dict = 0;
inline constexpr std::size_t rebuild_tensor = 1;
inline constexpr std::size_t rebuild_parameter = 2;
inline constexpr std::size_t torch_storages = 3;

inline constexpr std::array<PickleGlobal, 13> torch_globals = {
    {{"collections", "OrderedDict", PickleRole::mapping},
     {"torch._utils", "_rebuild_tensor_v2", PickleRole::function},
     {"torch._utils", "_rebuild_parameter", PickleRole::function},
     {"torch", "FloatStorage", PickleRole::type},
     {"torch", "HalfStorage", PickleRole::type},
     {"torch", "BFloat16Storage", PickleRole::type},
     {"torch", "DoubleStorage", PickleRole::type},
     {"torch", "LongStorage", PickleRole::type},
     {"torch", "IntStorage", PickleRole::type},
     {"torch", "ShortStorage", PickleRole::type},
     {"torch", "CharStorage", PickleRole::type},
     {"torch", "ByteStorage", PickleRole::type},
     {"torch", "BoolStorage", PickleRole::type}}};

inline constexpr std::array<DataType, torch_globals.size() - torch_storages> torch_types = {
    DataType::f32, DataType::f16, DataType::bf16, DataType::f64, DataType::i64,
    DataType::i32, DataType::i16, DataType::i8,   DataType::u8,  DataType::boolean};

/// A storage as a pickle names it. The texts lie in the pickle.
struct TorchStorageName {
  DataType type = DataType::f32;
  std::string_view key;
  std::uint64_t elements = 0;       ///< of the whole storage
  std::uint64_t view_begin = 0;     ///< the part that tensors see: its first element,
  std::uint64_t view_elements = 0;  ///< and how many
};

/// A tensor as a pickle describes it.
struct TorchTensor {
  std::string_view name;
  TorchStorageName storage;
  std::uint64_t offset = 0;  ///< element of the storage's visible part
  Shape shape;
  Shape strides;  ///< in elements
};

/// Reads a pickle's values as what torch wrote them for. Errors begin with `where`.
class TorchPickle {
 public:
  TorchPickle(const PickleDocument& document, const LoadLimits& limits)
      : document_(document), limits_(limits) {}

  /// What a persistent value says. Throws Error: format, or unsupported.
  TorchStorageName storage(PickleValue value, const std::string& where) const {
    if (value.kind != PickleKind::persistent) throw expected(where, "a storage", value);
    const std::size_t parts = document_.children(value);
    if (parts < 5 || parts > 6 || document_.text(document_.child(value, 0)) != "storage") {
      throw Error(ErrorCode::unsupported,
                  where +
                      ": expected what torch.save puts in place of a storage: \"storage\", "
                      "type, key, location and elements");
    }
    const PickleValue type = document_.child(value, 1);
    const std::optional<std::size_t> global = document_.global(type);
    if (!global || *global < torch_storages) throw expected(where, "a type of storage", type);
    const PickleValue key = document_.child(value, 2);
    const std::optional<std::string_view> text = document_.text(key);
    // Real keys are numbers; long ones would only make look-ups slow.
    if (!text || text->size() > 512) throw expected(where, "a storage's key", key);

    TorchStorageName out;
    out.type = torch_types[*global - torch_storages];
    out.key = *text;
    const auto elements = natural(document_.child(value, 4), where + ": its storage's size");
    if (!byte_size(out.type, {elements})) {
      throw Error(ErrorCode::format, where + ": its storage's size overflows");
    }
    out.elements = out.view_elements = static_cast<std::uint64_t>(elements);
    if (parts == 6) set_view(out, document_.child(value, 5), where);
    return out;
  }

  bool is_tensor(PickleValue value) const {
    const std::optional<std::size_t> callee = document_.callee(value);
    return callee == rebuild_tensor || callee == rebuild_parameter;
  }

  /// What a call that is_tensor says. Throws Error: format, or unsupported.
  TorchTensor tensor(std::string_view name, PickleValue value, const std::string& where) const {
    PickleValue arguments = document_.child(value, 1);
    if (document_.callee(value) == rebuild_parameter) {
      const std::size_t count = document_.children(arguments);
      value = count > 0 ? document_.child(arguments, 0) : PickleValue();
      if (document_.callee(value) != rebuild_tensor) {
        throw expected(where, "a tensor as the parameter's data", value);
      }
      arguments = document_.child(value, 1);
    }
    const std::size_t count = document_.children(arguments);
    if (count < 6 || count > 7) throw expected(where, "6 or 7 arguments", arguments);
    if (count == 7) expect_no_metadata(document_.child(arguments, 6), where);

    TorchTensor out;
    out.name = name;
    out.storage = storage(document_.child(arguments, 0), where);
    out.offset =
        static_cast<std::uint64_t>(natural(document_.child(arguments, 1), where + ": its offset"));
    out.shape = naturals(document_.child(arguments, 2), where + ": its shape");
    out.strides = naturals(document_.child(arguments, 3), where + ": its strides");
    if (out.strides.size() != out.shape.size()) {
      throw Error(ErrorCode::format, where + ": " + std::to_string(out.strides.size()) +
                                         " strides for the shape " + text(out.shape));
    }
    return out;
  }

 private:
  Error expected(const std::string& where, const std::string& what, PickleValue got) const {
    return Error(ErrorCode::format,
                 where + ": expected " + what + ", got " + document_.description(got));
  }

  std::int64_t natural(PickleValue value, const std::string& where) const {
    const std::optional<std::int64_t> number = document_.integer(value);
    if (!number || *number < 0) throw expected(where, "an integer in [0, 2^63)", value);
    return *number;
  }

  Shape naturals(PickleValue value, const std::string& where) const {
    if (value.kind != PickleKind::tuple) throw expected(where, "a tuple", value);
    const std::size_t count = document_.children(value);
    if (count > limits_.dimensions) {
      throw Error(ErrorCode::format,
                  where + ": " + std::to_string(count) + " dimensions, the limit is " +
                      std::to_string(limits_.dimensions) + " (LoadLimits::dimensions)");
    }
    Shape out;
    out.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      out.push_back(natural(document_.child(value, i), where));
    }
    return out;
  }

  /// Before torch 0.4 a storage could itself be a part of another one: (key, first, elements).
  void set_view(TorchStorageName& storage, PickleValue value, const std::string& where) const {
    if (value.kind == PickleKind::none) return;
    if (value.kind != PickleKind::tuple || document_.children(value) != 3) {
      throw expected(where, "a storage's view of three parts", value);
    }
    const std::string part = where + ": its storage's view";
    storage.view_begin = static_cast<std::uint64_t>(natural(document_.child(value, 1), part));
    storage.view_elements = static_cast<std::uint64_t>(natural(document_.child(value, 2), part));
    if (storage.view_begin > storage.elements ||
        storage.view_elements > storage.elements - storage.view_begin) {
      throw Error(ErrorCode::format, part + ": " + std::to_string(storage.view_elements) +
                                         " elements from " + std::to_string(storage.view_begin) +
                                         " on, of " + std::to_string(storage.elements));
    }
  }

  /// Metadata can say that the stored numbers are to be negated or conjugated.
  void expect_no_metadata(PickleValue value, const std::string& where) const {
    if (value.kind == PickleKind::none) return;
    if (value.kind == PickleKind::dict && document_.children(value) == 0) return;
    throw Error(ErrorCode::unsupported, where + ": has metadata of its own, such as \"neg\"");
  }

  const PickleDocument& document_;
  const LoadLimits& limits_;
};

/// Whether the value has entries: a dict, or an OrderedDict made from pairs.
inline bool is_torch_dict(const PickleDocument& document, PickleValue value) {
  return value.kind == PickleKind::dict || document.callee(value) == ordered_dict;
}

/// The key and value that Python 2 wrote as a list or tuple of two. Throws Error(format).
inline std::pair<PickleValue, PickleValue> torch_pair(const PickleDocument& document,
                                                      PickleValue pair) {
  if ((pair.kind != PickleKind::list && pair.kind != PickleKind::tuple) ||
      document.children(pair) != 2) {
    throw Error(ErrorCode::format, document.file() + ": expected a pair in an OrderedDict, got " +
                                       document.description(pair));
  }
  return {document.child(pair, 0), document.child(pair, 1)};
}

/// Calls visit(key, value) for each entry of a value that is_torch_dict. Throws Error(format).
template <class Visit>
void for_each_entry(const PickleDocument& document, PickleValue dict, const Visit& visit) {
  std::size_t skipped = 0;
  if (dict.kind == PickleKind::call) {
    skipped = 2;  // the callee and the arguments
    const PickleValue pairs = document.child(document.child(dict, 1), 0);
    if (pairs.kind != PickleKind::list) {
      throw Error(ErrorCode::format, document.file() + ": expected an OrderedDict of pairs, got " +
                                         document.description(pairs));
    }
    document.for_each_child(pairs, [&](PickleValue child) {
      const auto [key, value] = torch_pair(document, child);
      visit(key, value);
    });
  }
  std::optional<PickleValue> key;
  document.for_each_child(dict, [&](PickleValue child) {
    if (skipped > 0) {
      --skipped;
    } else if (!key) {
      key = child;
    } else {
      visit(*std::exchange(key, std::nullopt), child);
    }
  });
}

}  // namespace eigenformer::inline v0::io::detail
