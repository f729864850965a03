# Flags of every target of this project.
#
# -ffp-contract=off: a product and a sum are fused where the source says so and nowhere else, so that a vector body and
# its tail, and one compiler and the next, compute the same bits. The instruction set is chosen at run time.
#
# x86-64-v2 (SSE4.2, every processor since 2009) is the least that the kernels run on.
function(unroll_compile_options target)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    target_compile_options(${target} PRIVATE -march=x86-64-v2)
  endif()
  target_compile_options(${target} PRIVATE
    -ffp-contract=off
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
    -Wcast-align -Wformat=2 -Werror=switch
    # GCC 12 warns of `"..." + std::string` (its bug 105651), and only GCC knows this warning.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
  # GCC's manual: what a sanitizer adds to the code raises false warnings of this kind. The other builds keep it.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_FLAGS_DEBUG MATCHES "-fsanitize")
    target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized)
  endif()
  if(UNROLL_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()
