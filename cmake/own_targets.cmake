# Flags of our own targets, in one private place: none of them reaches a program that uses the
# library.
add_library(eigenformer_own INTERFACE)

set(own_warnings -Wall -Wextra -Wconversion -Wshadow)
# g++ 12 takes the undefined registers of its own AVX-512 intrinsics for our mistakes, and sees
# copies that overlap inside std::string (its bug 105651). clang finds the real mistakes.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  list(APPEND own_warnings -Wno-uninitialized -Wno-maybe-uninitialized -Wno-restrict)
endif()
if(EIGENFORMER_WERROR)
  list(APPEND own_warnings -Werror)
endif()
target_compile_options(eigenformer_own INTERFACE ${own_warnings})

# Forced into every file of a build tree or into none, because inline functions that meet in one
# program must agree on what a contract does.
if(EIGENFORMER_CONTRACTS_THROW)
  target_compile_options(eigenformer_own
                         INTERFACE "SHELL:-include ${PROJECT_SOURCE_DIR}/tests/support/contracts.hpp")
endif()

if(EIGENFORMER_SANITIZE)
  target_compile_options(eigenformer_own INTERFACE -fsanitize=${EIGENFORMER_SANITIZE}
                                                   -fno-sanitize-recover=all
                                                   -fno-omit-frame-pointer)
  target_link_options(eigenformer_own INTERFACE -fsanitize=${EIGENFORMER_SANITIZE})
  if(EIGENFORMER_FUZZ)
    # The inputs that are kept have the words that comparisons would teach, in a third of the time.
    target_compile_options(eigenformer_own INTERFACE -fno-sanitize-coverage=trace-cmp)
  endif()
endif()

# What a script runs as `program`: in a cross build a script that starts the emulator.
function(eigenformer_runnable variable name program)
  set(${variable} "${program}" PARENT_SCOPE)
  if(CMAKE_CROSSCOMPILING_EMULATOR)
    set(script "${CMAKE_CURRENT_BINARY_DIR}/emulated/${name}")
    list(JOIN CMAKE_CROSSCOMPILING_EMULATOR " " emulator)
    file(GENERATE OUTPUT "${script}" CONTENT "#!/bin/sh\nexec ${emulator} \"${program}\" \"$@\"\n"
         FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
    set(${variable} "${script}" PARENT_SCOPE)
  endif()
endfunction()

# Tests and benchmarks link the compiled library where it exists, to save compile time.
function(eigenformer_link_compiled target)
  if(TARGET eigenformer::compiled)
    target_link_libraries(${target} PRIVATE eigenformer::compiled eigenformer_own)
  else()
    target_link_libraries(${target} PRIVATE eigenformer::eigenformer eigenformer_own)
  endif()
  # With sanitizers an optimised test takes three times as long to compile, and what takes long to
  # run is in the compiled library, or in these.
  if(EIGENFORMER_SANITIZE AND NOT EIGENFORMER_FUZZ AND NOT target MATCHES "^(core|kernels|models)_tests$|^libsentencepiece")
    target_compile_options(${target} PRIVATE -O0 -gline-tables-only)
  endif()
endfunction()
