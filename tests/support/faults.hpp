// SPDX-License-Identifier: MIT
/// Makes the n-th of a kind of calls fail (or all from there on), in the whole program: memory and
/// system calls.
#pragma once

#include <string>

namespace eigenformer::test {

enum class Fault {
  allocation,    ///< malloc and its kin, and so operator new (with sanitizers, operator new alone)
  exhaustion,    ///< the same, and every allocation after it
  read_error,    ///< pread gives EIO
  short_read,    ///< pread gives half of what it could; nothing is wrong with that
  interruption,  ///< pread gives EINTR once; nor with that
  early_end,     ///< pread finds the file's end, as if another program had truncated it
  map_error,     ///< mmap of a file gives ENOMEM
  open_error,    ///< open gives EMFILE
  status_error,  ///< fstat gives EIO
  no_thread,     ///< pthread_create gives EAGAIN
};

std::string name(Fault fault);

/// Whether such faults can be made here: sanitizers have calls of their own.
bool can_fail(Fault fault);

/// From one n to the next: 1, and more where a sanitizer makes each take long.
long fault_step();

/// Chooses what fails: the n-th such call, n from 1, of those that are made while an Armed
/// lives.
void fail_at(Fault fault, long n);

/// Whether it has failed.
bool has_failed();

/// Around the calls that are under test, for what a test does itself should not fail.
class Armed {
 public:
  Armed();
  Armed(const Armed&) = delete;
  Armed& operator=(const Armed&) = delete;
  ~Armed();
};

/// Blocks of memory that are not freed yet.
long live_blocks();

/// Open file descriptors.
long open_files();

}  // namespace eigenformer::test
