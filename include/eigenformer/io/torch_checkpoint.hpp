// SPDX-License-Identifier: MIT
/// Reading the state dicts that torch.save writes (pytorch_model.bin), as data: nothing that such a
/// file names is ever called. Everything is checked before memory for tensors is asked for, and a
/// file of any content takes at most twice its size in memory and 1 MiB.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eigenformer/core/error.hpp"
#include "eigenformer/io/byte_buffer.hpp"
#include "eigenformer/io/file.hpp"
#include "eigenformer/io/limits.hpp"
#include "eigenformer/io/memory_allowance.hpp"
#include "eigenformer/io/tensor.hpp"
#include "eigenformer/io/text.hpp"
#include "eigenformer/io/torch_legacy.hpp"
#include "eigenformer/io/torch_plan.hpp"
#include "eigenformer/io/torch_zip.hpp"

namespace eigenformer::inline v0::io {

namespace detail {

/// For bytes that begin neither as an archive nor as a pickle: says what they are, if it's known.
[[noreturn]] inline void refuse_as_torch(std::string_view bytes, const std::string& file) {
  refuse_git_lfs_pointer(bytes, file);
  constexpr std::size_t tar_magic = 257;
  if (bytes.size() >= tar_magic && bytes.substr(tar_magic).starts_with("ustar")) {
    throw Error(ErrorCode::unsupported,
                file +
                    ": is a tar archive, the format of torch before 0.2; load it with torch "
                    "and save it again");
  }
  std::string what = "begins neither as a ZIP archive nor as a pickle: torch.save did not write it";
  const std::size_t text = bytes.find_first_not_of(" \t\r\n");
  if (bytes.empty()) {
    what = "is empty";
  } else if (bytes.size() > 8 && bytes[7] == '\0' && bytes[8] == '{') {
    what = "is a safetensors file by the name of a torch one";
  } else if (text != std::string_view::npos && bytes[text] == '<') {
    what = "is a web page or other text in angle brackets, not the file itself";
  }
  throw Error(ErrorCode::format, file + ": " + what);
}

inline TorchPlan plan_torch_checkpoint(std::span<const std::byte> bytes, const std::string& name,
                                       const LoadLimits& limits) {
  TorchFile file = {bytes, name, limits, MemoryAllowance(name, bytes.size())};
  const std::string_view text = as_text(bytes);
  TorchPlan plan;
  if (text.starts_with("PK\x03\x04") || text.starts_with("PK\x05\x06")) {
    plan = plan_torch_zip(file);
  } else if (text.starts_with('\x80')) {
    plan = plan_torch_legacy(file);
  } else {
    refuse_as_torch(text, name);
  }
  return plan;
}

/// A file while it is read, and as its tensors find it afterwards.
struct TorchContent {
  std::span<const std::byte> bytes;
  TensorBytes kept;
  std::shared_ptr<const void> keeper;
};

/// The tensors of a plan: where the file keeps them, or gathered in memory where they are not in
/// row-major order.
inline Tensors assemble_torch(TorchPlan plan, const TorchContent& file, const std::string& name) {
  struct Owner {
    std::shared_ptr<const void> file;
    ByteBuffer gathered;
  };
  const auto owner = std::make_shared<Owner>(Owner{file.keeper, allocate_for(name, plan.gathered)});
  std::span<std::byte> free = owner->gathered.span();
  std::vector<NamedTensor> tensors;
  tensors.reserve(plan.tensors.size());
  for (TorchPlace& place : plan.tensors) {
    const auto size = static_cast<std::size_t>(*byte_size(place.type, place.shape));
    TensorBytes bytes;
    if (place.strides.empty()) {
      bytes = file.kept.subspan(static_cast<std::size_t>(place.begin), size);
    } else {
      gather(place, file.bytes, free.data());
      bytes = std::span<const std::byte>(free.first(size));
      free = free.subspan(size);
    }
    tensors.push_back({std::move(place.name), {place.type, std::move(place.shape), bytes}});
  }
  return Tensors(name, std::move(tensors), owner);
}

/// The tensors of a file, which stays open: it is in memory whole while its pickles are read, and
/// later each tensor when its numbers are asked for. Before memory is allocated for those that are
/// not in row-major order, check(file, gathered) may refuse it: bytes of the file, and of these.
template <class Check>
Tensors read_torch_file(const std::string& path, const LoadLimits& limits, const Check& check) {
  return or_out_of_memory(path, [&] {
    const auto file = std::make_shared<InputFile>(path);
    const ByteBuffer bytes = read_all(*file, limits.memory_bytes);
    TorchPlan plan = plan_torch_checkpoint(bytes.span(), path, limits);
    check(bytes.size(), plan.gathered);
    return assemble_torch(std::move(plan), {bytes.span(), bytes_from(*file, 0), file}, path);
  });
}

}  // namespace detail

/// The tensors of a torch state dict in a pytorch_model.bin, in either layout of torch.save; it may
/// lie under "state_dict" or "model" in a dict. The file is in memory whole meanwhile; then it
/// stays open as long as the tensors live, and is read as read_safetensors() reads its own. Throws
/// Error: io, format, unsupported (an element type, an object that is no tensor, an opcode), or
/// out_of_memory.
inline Tensors read_torch_checkpoint(const std::string& path, const LoadLimits& limits = {}) {
  return detail::read_torch_file(path, limits, [&](std::uint64_t file, std::uint64_t gathered) {
    check_budget(path, file + gathered, limits.memory_bytes);
  });
}

/// The same for a file that is in memory, copied; `file` names it in errors. Throws Error: format,
/// unsupported, or out_of_memory.
inline Tensors parse_torch_checkpoint(std::span<const std::byte> bytes, const std::string& file,
                                      const LoadLimits& limits = {}) {
  check_budget(file, bytes.size(), limits.memory_bytes);
  return or_out_of_memory(file, [&] {
    auto plan = detail::plan_torch_checkpoint(bytes, file, limits);
    check_budget(file, bytes.size() + plan.gathered, limits.memory_bytes);
    const auto copy = std::make_shared<const ByteBuffer>(copy_for(file, bytes));
    return detail::assemble_torch(std::move(plan), {bytes, copy->span(), copy}, file);
  });
}

}  // namespace eigenformer::inline v0::io
