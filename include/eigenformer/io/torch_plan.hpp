// SPDX-License-Identifier: MIT
/// Where in its file each tensor of a torch state dict lies, all of it checked before memory for
/// tensors is asked for.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eigenformer/core/error.hpp"
#include "eigenformer/io/limits.hpp"
#include "eigenformer/io/memory_allowance.hpp"
#include "eigenformer/io/pickle.hpp"
#include "eigenformer/io/pickle_value.hpp"
#include "eigenformer/io/tensor.hpp"
#include "eigenformer/io/text.hpp"
#include "eigenformer/io/torch_state_dict.hpp"

namespace eigenformer::inline v0::io::detail {

/// A tensor in a file's bytes.
struct TorchPlace {
  std::string name;
  DataType type = DataType::f32;
  Shape shape;
  Shape strides;            ///< in elements; empty where the elements lie in row-major order
  std::uint64_t begin = 0;  ///< the first element's byte in the file
};

struct TorchPlan {
  std::vector<TorchPlace> tensors;
  std::uint64_t gathered = 0;  ///< bytes of those tensors that are not in row-major order
};

/// The file that a plan is for.
struct TorchFile {
  std::span<const std::byte> bytes;
  std::string name;
  const LoadLimits& limits;
  MemoryAllowance allowance;
};

/// A pickle of the file in these bytes, of which it may take header_bytes; `part` names them.
inline PickleSource torch_pickle_source(const TorchFile& file, std::string part,
                                        std::span<const std::byte> bytes) {
  PickleSource source = {bytes, std::move(part), torch_globals};
  const std::uint64_t most =
      std::min<std::uint64_t>(file.limits.header_bytes, std::numeric_limits<std::uint32_t>::max());
  if (bytes.size() > most) {
    source.bytes = bytes.first(static_cast<std::size_t>(most));
    source.end = "a pickle must have ended (LoadLimits::header_bytes)";
  }
  return source;
}

/// The dict of tensors: the pickle's root, or what that has under "state_dict" or "model" and
/// nowhere else. Throws Error(unsupported).
inline PickleValue torch_state_dict(const PickleDocument& document, TorchFile& file) {
  const TorchPickle pickle(document, file.limits);
  const auto has_tensors = [&](PickleValue dict) {
    bool found = false;
    for_each_entry(document, dict, [&](PickleValue, PickleValue value) {
      found = found || pickle.is_tensor(value);
    });
    return found;
  };
  const PickleValue root = document.root();
  if (!is_torch_dict(document, root)) {
    throw Error(ErrorCode::unsupported,
                file.name + ": expected a dict of tensors, got " + document.description(root));
  }
  if (has_tensors(root)) return root;

  // Each dict is looked into once, however often the root has it.
  file.allowance.take(document.places() / 8);
  std::vector<bool> seen(document.places());
  PickleValue chosen = root;
  std::size_t candidates = 0;
  std::size_t others = 0;
  for_each_entry(document, root, [&](PickleValue key, PickleValue value) {
    const std::optional<std::string_view> name = document.text(key);
    if ((name == "state_dict" || name == "model") && is_torch_dict(document, value)) {
      chosen = value;
      ++candidates;
    } else if (value.kind == PickleKind::dict && !seen[value.place]) {
      seen[value.place] = true;
      if (has_tensors(value)) ++others;
    }
  });
  if (others > 0 || candidates > 1) {
    throw Error(ErrorCode::unsupported,
                file.name +
                    ": has tensors in dicts inside a dict; expected them in the outermost, "
                    "or under \"state_dict\" or \"model\" alone");
  }
  return chosen;
}

/// Makes a plan from a pickle, tensor by tensor. `Locate` says at which byte of the file a storage
/// begins, and throws where the file has none such: locate(storage, where).
template <class Locate>
class TorchPlanner {
 public:
  TorchPlanner(const PickleDocument& document, TorchFile& file, Locate& locate)
      : document_(document), file_(file), pickle_(document, file.limits), locate_(locate) {}

  TorchPlan plan() {
    const PickleValue dict = torch_state_dict(document_, file_);
    std::size_t count = 0;
    for_each_entry(document_, dict, [&](PickleValue, PickleValue value) {
      if (pickle_.is_tensor(value)) ++count;
    });
    if (count > file_.limits.tensors) {
      throw Error(ErrorCode::format,
                  file_.name + ": " + std::to_string(count) + " tensors, the limit is " +
                      std::to_string(file_.limits.tensors) + " (LoadLimits::tensors)");
    }
    // NamedTensor is what a place becomes.
    file_.allowance.take(count * (sizeof(TorchPlace) + sizeof(NamedTensor)));
    plan_.tensors.reserve(count);
    for_each_entry(document_, dict, [&](PickleValue key, PickleValue value) { add(key, value); });
    return std::move(plan_);
  }

 private:
  void add(PickleValue key, PickleValue value) {
    const std::optional<std::string_view> name = document_.text(key);
    if (!name) {
      throw Error(ErrorCode::format, file_.name + ": expected a tensor's name as key, got " +
                                         document_.description(key));
    }
    if (!pickle_.is_tensor(value)) {
      // None, numbers and texts: a state dict may count its training steps.
      if (value.kind < PickleKind::tuple) return;
      throw Error(ErrorCode::unsupported, file_.name + ": entry " + excerpt(*name) +
                                              ": expected a tensor, got " +
                                              document_.description(value));
    }
    const std::string where = file_.name + ": tensor " + excerpt(*name);
    if (name->size() > file_.limits.tensor_name_bytes) {
      throw Error(ErrorCode::format, where + ": a name of " + std::to_string(name->size()) +
                                         " bytes, the limit is " +
                                         std::to_string(file_.limits.tensor_name_bytes) +
                                         " (LoadLimits::tensor_name_bytes)");
    }
    if (!is_utf8(*name)) throw Error(ErrorCode::format, where + ": its name is not UTF-8");
    place(pickle_.tensor(*name, value, where), where);
  }

  void place(TorchTensor tensor, const std::string& where) {
    const std::optional<std::int64_t> bytes = byte_size(tensor.storage.type, tensor.shape);
    if (!bytes) {
      throw Error(ErrorCode::format, where + ": the size of " + text(tensor.shape) + " overflows");
    }
    // With what the allocator adds to three blocks.
    file_.allowance.take(tensor.name.size() + 2 * tensor.shape.size() * sizeof(tensor.shape[0]) +
                         3 * 32);
    TorchPlace place = {std::string(tensor.name), tensor.storage.type, std::move(tensor.shape),
                        std::move(tensor.strides), locate_(tensor.storage, where)};
    if (*bytes == 0) {
      place.strides.clear();
    } else {
      check_extent(place, tensor.storage.view_elements, tensor.offset, where);
      place.begin += (tensor.storage.view_begin + tensor.offset) * size_of(place.type);
      if (is_row_major(place)) place.strides.clear();
    }
    if (!place.strides.empty()) gather(static_cast<std::uint64_t>(*bytes), where);
    plan_.tensors.push_back(std::move(place));
  }

  /// Throws unless all elements of a tensor that has some lie in its storage.
  static void check_extent(const TorchPlace& place, std::uint64_t elements, std::uint64_t offset,
                           const std::string& where) {
    bool inside = offset < elements;
    std::uint64_t room = inside ? elements - offset - 1 : 0;
    for (std::size_t i = 0; i < place.shape.size() && inside; ++i) {
      const auto steps = static_cast<std::uint64_t>(place.shape[i] - 1);
      const auto stride = static_cast<std::uint64_t>(place.strides[i]);
      if (steps == 0 || stride == 0) continue;
      inside = steps <= room / stride;
      if (inside) room -= steps * stride;
    }
    if (inside) return;
    throw Error(ErrorCode::format, where + ": shape " + text(place.shape) + ", strides " +
                                       text(place.strides) + " and offset " +
                                       std::to_string(offset) + " leave its storage of " +
                                       std::to_string(elements) + " elements");
  }

  static bool is_row_major(const TorchPlace& place) {
    std::int64_t expected = 1;
    for (std::size_t i = place.shape.size(); i-- > 0;) {
      if (place.shape[i] == 1) continue;
      if (place.strides[i] != expected) return false;
      expected *= place.shape[i];
    }
    return true;
  }

  /// Counts the bytes of a tensor that needs memory beside the file. A stride of 0 repeats elements
  /// for nothing, so a file may not ask for more than itself.
  void gather(std::uint64_t bytes, const std::string& where) {
    if (bytes > file_.bytes.size() - plan_.gathered) {
      throw Error(ErrorCode::format,
                  where + ": its strides make " + std::to_string(bytes) +
                      " bytes of it, with those of others more than the file's " +
                      std::to_string(file_.bytes.size()));
    }
    file_.allowance.take(bytes);
    plan_.gathered += bytes;
  }

  const PickleDocument& document_;
  TorchFile& file_;
  TorchPickle pickle_;
  Locate& locate_;
  TorchPlan plan_;
};

/// Writes a tensor's elements in row-major order. `out` has room for them; `file` is the file that
/// the place was checked for, and the tensor is not empty.
inline void gather(const TorchPlace& place, std::span<const std::byte> file, std::byte* out) {
  const std::size_t size = size_of(place.type);
  const std::size_t rank = place.shape.size();
  // Rows are copied whole where their elements are neighbours.
  const std::int64_t row = place.shape.back();
  const bool whole = place.strides.back() == 1;
  const std::size_t step = static_cast<std::size_t>(place.strides.back()) * size;
  std::vector<std::int64_t> index(rank, 0);
  for (;;) {
    std::size_t at = static_cast<std::size_t>(place.begin);
    for (std::size_t i = 0; i + 1 < rank; ++i) {
      at += static_cast<std::size_t>(index[i] * place.strides[i]) * size;
    }
    const std::size_t chunk = whole ? static_cast<std::size_t>(row) * size : size;
    const std::int64_t chunks = whole ? 1 : row;
    for (std::int64_t i = 0; i < chunks; ++i) {
      std::memcpy(out, file.data() + at, chunk);
      out += chunk;
      at += step;
    }
    std::size_t dimension = rank - 1;
    while (dimension > 0 && ++index[dimension - 1] == place.shape[dimension - 1]) {
      index[--dimension] = 0;
    }
    if (dimension == 0) return;
  }
}

}  // namespace eigenformer::inline v0::io::detail
