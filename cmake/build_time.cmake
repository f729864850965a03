# What decides how long a build takes, and nothing about what is built: large compilation units and levels of optimization.

option(UNROLL_UNITY "Compile each room as one unit: a clean build takes half as long, one after a small change longer" OFF)
option(UNROLL_UNITY_TESTS "Compile test programs in units of eight files" ${UNROLL_UNITY})

# Puts the sources of a target into one unit for each folder. Kernels stay alone: each is compiled once for every
# instruction set.
function(unroll_unity target)
  if(NOT UNROLL_UNITY)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  # The warning is for headers, and within a unit every source looks like one.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  get_target_property(sources ${target} SOURCES)
  foreach(source IN LISTS sources)
    cmake_path(GET source PARENT_PATH folder)
    cmake_path(GET folder FILENAME room)
    if(NOT room STREQUAL kernels)
      set_source_files_properties(${source} TARGET_DIRECTORY ${target} PROPERTIES UNITY_GROUP ${room})
    endif()
  endforeach()
endfunction()

# Optimizes the few sources in which tests spend their time in a build without optimization too, where each vector and each
# element of an array is a function call: kernels, random numbers, the gradient check, a walk through a table of rules.
function(unroll_optimize_loops)
  if(CMAKE_BUILD_TYPE STREQUAL "Debug")
    file(GLOB kernels CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/kernels/*.cc)
    # GCC clears the upper halves of vector registers only with -fexpensive-optimizations; left dirty, they slow down all
    # code of the program that is compiled for SSE.
    set_source_files_properties(${kernels} src/base/philox.cc src/network/gradcheck.cc src/text/sentencepiece_file.cc
      PROPERTIES COMPILE_OPTIONS "-O1;$<$<CXX_COMPILER_ID:GNU>:-fexpensive-optimizations>")
  endif()
endfunction()

# Optimizes code that is not the library a little: the command, which parses and prints, and tests.
function(unroll_optimize_a_little target)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(${target} PRIVATE -O1)
  endif()
endfunction()

# The program of a room's tests: in large units, and optimized a little where arithmetic in plain loops is what they
# spend their time on.
function(unroll_test_options target room)
  if(UNROLL_UNITY_TESTS)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE BATCH UNITY_BUILD_BATCH_SIZE 8)
  endif()
  if(room MATCHES "^(kernels|nn|network)$")
    target_compile_options(${target} PRIVATE -O1)
  else()
    unroll_optimize_a_little(${target})
  endif()
endfunction()
