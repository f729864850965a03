# The files of recipes/ within the program: a source file that defines embedded_recipes() (apps/cli/flags/embedded_recipes.h).
# Included by the build it declares the function; run as a script it writes that file, with the paths in RECIPES (joined
# by |) and OUTPUT.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  function(unroll_embed_recipes target)
    file(GLOB recipes CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/recipes/*.toml)
    list(SORT recipes)
    list(JOIN recipes "|" joined)
    set(output ${PROJECT_BINARY_DIR}/generated/embedded_recipes.cc)
    set(script ${PROJECT_SOURCE_DIR}/cmake/embed_recipes.cmake)
    add_custom_command(OUTPUT ${output} DEPENDS ${recipes} ${script} VERBATIM
      COMMAND ${CMAKE_COMMAND} "-DRECIPES=${joined}" -DOUTPUT=${output} -P ${script}
      COMMENT "Embedding recipes")
    target_sources(${target} PRIVATE ${output})
  endfunction()
  return()
endif()

string(REPLACE "|" ";" paths "${RECIPES}")
set(entries "")
foreach(path IN LISTS paths)
  cmake_path(GET path STEM name)
  file(READ ${path} text)
  string(FIND "${text}" ")recipe\"" at)
  if(NOT at EQUAL -1)
    message(FATAL_ERROR "${path} holds )recipe\", which ends the literal that it is written into")
  endif()
  string(APPEND entries "    {\"${name}\", R\"recipe(${text})recipe\"},\n")
endforeach()
file(WRITE ${OUTPUT} "// Written by cmake/embed_recipes.cmake.
#include \"cli/flags/embedded_recipes.h\"

namespace unroll {
namespace {

constexpr EmbeddedRecipe kRecipes[] = {
${entries}};

}  // namespace

std::span<const EmbeddedRecipe> embedded_recipes() noexcept { return kRecipes; }

}  // namespace unroll
")
