// SPDX-License-Identifier: MIT
/// What the ranks of `mpi_translate` send each other.
#pragma once

#include <mpi.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>

#include "failure.hpp"

namespace program {

/// Lines, or what became of them. Without a line and a message it asks rank 0 for work, or tells a
/// worker that there is none.
struct Parcel {
  std::uint64_t begin = 0, end = 0;  ///< lines [begin, end), from 0
  std::uint64_t replaced = 0;        ///< U+FFFD that stand for bytes that were not UTF-8
  ExitStatus status = ExitStatus::success;
  std::string text = {};     ///< of each line, with its "\n"; where one failed, of those before it
  std::string message = {};  ///< of what failed
};

namespace detail {

using Head = std::array<std::uint64_t, 6>;

}  // namespace detail

inline void send(const Parcel& parcel, int rank) {
  const std::string body = parcel.text + parcel.message;
  const auto status = static_cast<std::uint64_t>(parcel.status);
  const detail::Head head{parcel.begin, parcel.end,         parcel.replaced,
                          status,       parcel.text.size(), body.size()};
  MPI_Send(head.data(), int{head.size()}, MPI_UINT64_T, rank, 0, MPI_COMM_WORLD);
  MPI_Send(body.data(), static_cast<int>(body.size()), MPI_CHAR, rank, 0, MPI_COMM_WORLD);
}

/// The next that comes, and from whom.
inline std::pair<Parcel, int> receive() {
  MPI_Status from;
  for (int there = 0; there == 0;) {
    MPI_Iprobe(MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, &there, &from);
    // MPI's own waiting would keep a processor busy that can translate.
    if (there == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const int rank = from.MPI_SOURCE;
  detail::Head head;
  MPI_Recv(head.data(), int{head.size()}, MPI_UINT64_T, rank, 0, MPI_COMM_WORLD, &from);
  std::string body(head[5], '\0');
  MPI_Recv(body.data(), static_cast<int>(body.size()), MPI_CHAR, rank, 0, MPI_COMM_WORLD, &from);
  Parcel parcel{head[0], head[1], head[2], static_cast<ExitStatus>(head[3])};
  parcel.message = body.substr(head[4]);
  parcel.text = std::move(body.erase(head[4]));
  return {std::move(parcel), rank};
}

}  // namespace program
