# Files within the program: a library that defines embedded_files() (apps/embedded/embedded_files.h). The assembler reads
# them as they are, which takes no time for a megabyte either; the library is built anew when one is changed or added.

# unroll_embed(TARGET FILES...): files below the project's folder, which are found by their paths there.
function(unroll_embed target)
  set(files ${ARGN})
  list(SORT files)
  set(declarations "")
  set(entries "")
  set(index 0)
  foreach(file IN LISTS files)
    cmake_path(RELATIVE_PATH file BASE_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE path)
    string(APPEND declarations "UNROLL_EMBED(${index}, \"${file}\")\n")
    string(APPEND entries "      UNROLL_EMBEDDED(${index}, \"${path}\"),\n")
    math(EXPR index "${index} + 1")
  endforeach()
  set(source ${PROJECT_BINARY_DIR}/generated/${target}.cc)
  # Written only where it would differ.
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT "// Written by cmake/embed.cmake.
#include \"embedded/embed.h\"
#include \"embedded/embedded_files.h\"

${declarations}
namespace unroll {

std::span<const EmbeddedFile> embedded_files() noexcept {
  static const EmbeddedFile files[] = {
${entries}  };
  return files;
}

}  // namespace unroll
")
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS "${files}")
  add_library(${target} STATIC ${source} ${PROJECT_SOURCE_DIR}/apps/embedded/embedded_files.cc)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/apps)
  unroll_compile_options(${target})
endfunction()
