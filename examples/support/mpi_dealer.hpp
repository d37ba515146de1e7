// SPDX-License-Identifier: MIT
/// Rank 0 of `mpi_translate`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <exception>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "eigenformer/pipelines/translation.hpp"
#include "failure.hpp"
#include "files.hpp"
#include "mpi_parcel.hpp"
#include "translate_resume.hpp"

namespace program {

/// What the command line says.
struct Job {
  std::string input, output;
  std::string model = "models/fr-en-small";
  bool resume = false;                              ///< the output has a beginning already
  std::size_t block_bytes = std::size_t{64} << 10;  ///< dealt at a time, for each thread
  eigenformer::TranslatorOptions translator;
  eigenformer::GenerationOptions generation;
};

/// Reads lines, gives blocks of them to ranks that ask, and writes what they become.
class Dealer {
 public:
  /// Throws Failure; so do the others.
  Dealer(const Job& job, int ranks)
      : job_(job), workers_(static_cast<std::size_t>(ranks - 1)), input_(File::input(job.input)) {
    if (input_.is_at(job.output)) {
      throw Failure(ExitStatus::usage, "the input and the output are the same file");
    }
    if (workers_ == 0) throw Failure(ExitStatus::usage, "start 2 or more, by mpirun -n");
  }

  void run() {
    while (idle_.size() < workers_) take();  // a model may be bad: before the output is emptied
    open_output();
    for (deal(); idle_.size() < workers_; deal()) take();
    if (failure_) std::rethrow_exception(failure_);
    output_->finish();
    for (const int rank : idle_) send({}, rank);
    if (replaced_ > 0) {
      std::fprintf(stderr, "mpi_translate: bytes that were not UTF-8 became U+FFFD %llu times\n",
                   static_cast<unsigned long long>(replaced_));
    }
  }

 private:
  void open_output() {
    Written written;
    File file = job_.resume ? File::open(job_.output, O_RDWR | O_CREAT) : File::output(job_.output);
    if (job_.resume) written = read_written(file, {});
    output_.emplace(std::move(file), std::move(written.rest));
    skip_written(written, reader_);
    written_ = written.lines;
  }

  /// Waits for a rank, keeps what it has done, and writes what is next.
  void take() {
    auto [parcel, rank] = receive();
    idle_.push_back(rank);
    if (parcel.begin == parcel.end) {
      if (!parcel.message.empty()) throw Failure(parcel.status, parcel.message);
      return;
    }
    if (!parcel.message.empty()) more_ = false;
    done_.emplace(parcel.begin, std::move(parcel));
    for (auto next = done_.find(written_); next != done_.end(); next = done_.find(written_)) {
      const Parcel& first = next->second;
      output_->write(first.text);
      output_->flush();
      if (!first.message.empty()) throw Failure(first.status, first.message);
      replaced_ += first.replaced;
      written_ = first.end;
      done_.erase(next);
    }
  }

  /// Gives those who wait the next lines, unless too many are done out of order.
  void deal() {
    while (more_ && !idle_.empty() && done_.size() < 4 * workers_) {
      const Parcel block = read();
      if (block.begin == block.end) continue;
      send(block, idle_.front());
      idle_.pop_front();
    }
  }

  Parcel read() {
    Parcel block;
    block.begin = reader_.lines();
    const std::size_t bytes = job_.block_bytes * static_cast<std::size_t>(job_.translator.threads);
    try {
      while (more_ && block.text.size() < bytes) {
        const std::optional<std::string> line = reader_.next();
        if (line) block.text += *line + '\n';
        more_ = line.has_value();
      }
    } catch (const Failure&) {
      failure_ = std::current_exception();  // of the line after those that were read
      more_ = false;
    }
    block.end = reader_.lines();
    return block;
  }

  const Job& job_;
  std::size_t workers_;
  File input_;
  LineReader reader_{input_, job_.translator.load.limits.text_bytes};
  std::optional<Writer> output_;
  std::deque<int> idle_;                  ///< ranks that wait
  std::map<std::uint64_t, Parcel> done_;  ///< by their first lines, what is not written
  std::uint64_t written_ = 0, replaced_ = 0;
  bool more_ = true;            ///< whether there may be lines to deal
  std::exception_ptr failure_;  ///< of reading
};

}  // namespace program
