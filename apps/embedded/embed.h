// For the source that cmake/embed.cmake writes: the bytes of a file as a constant. They stand at multiples of 64 bytes,
// so that the weights of an embedded model can be read where they are.
#pragma once

#include <cstddef>
#include <cstdint>

#include "embedded/embedded_files.h"

#define UNROLL_EMBED(index, file)                                                        \
  __asm__(                                                                               \
      ".pushsection .rodata\n"                                                           \
      ".balign 64\n"                                                                     \
      ".global unroll_embedded_" #index                                                  \
      "\n"                                                                               \
      ".hidden unroll_embedded_" #index                                                  \
      "\n"                                                                               \
      "unroll_embedded_" #index                                                          \
      ":\n"                                                                              \
      ".incbin \"" file                                                                  \
      "\"\n"                                                                             \
      ".global unroll_embedded_end_" #index                                              \
      "\n"                                                                               \
      ".hidden unroll_embedded_end_" #index                                              \
      "\n"                                                                               \
      "unroll_embedded_end_" #index                                                      \
      ":\n"                                                                              \
      ".byte 0\n"                                                                        \
      ".popsection\n");                                                                  \
  extern "C" __attribute__((visibility("hidden"))) const char unroll_embedded_##index[]; \
  extern "C" __attribute__((visibility("hidden"))) const char unroll_embedded_end_##index[];

#define UNROLL_EMBEDDED(index, path) ::unroll::embedded_file(path, unroll_embedded_##index, unroll_embedded_end_##index)

namespace unroll {

inline EmbeddedFile embedded_file(std::string_view path, const char* begin, const char* end) noexcept {
  const std::uintptr_t size = reinterpret_cast<std::uintptr_t>(end) - reinterpret_cast<std::uintptr_t>(begin);
  return {path, {begin, static_cast<std::size_t>(size)}};
}

}  // namespace unroll
