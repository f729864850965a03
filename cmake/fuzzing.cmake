# Fuzz targets (fuzz/README.md): all code with clang's libFuzzer and its sanitizers.

option(UNROLL_BUILD_FUZZERS "Build the fuzz targets, and everything else with clang's sanitizers and coverage" OFF)

if(UNROLL_BUILD_FUZZERS)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "Fuzz targets need clang, which brings libFuzzer: tools/setup fuzz, then cmake --preset fuzz")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
  # Kernels for one instruction set: others take most of the time to compile, and no input chooses among them.
  add_compile_definitions(HWY_COMPILE_ONLY_STATIC)
endif()
