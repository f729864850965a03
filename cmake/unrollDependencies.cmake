# The libraries that unroll links: for its own build, and for programs that link its static archive.

# A library without a usable CMake package, as the imported target unroll::<name>.
function(unroll_find_library name header debian_package)
  if(TARGET unroll::${name})
    return()
  endif()
  find_library(UNROLL_${name}_LIBRARY ${name})
  find_path(UNROLL_${name}_INCLUDE_DIR ${header})
  if(NOT UNROLL_${name}_LIBRARY OR NOT UNROLL_${name}_INCLUDE_DIR)
    message(FATAL_ERROR "lib${name} and ${header} were not found (on Debian: apt-get install ${debian_package}; "
                        "tools/setup --help lists the packages of each purpose)")
  endif()
  add_library(unroll::${name} UNKNOWN IMPORTED)
  set_target_properties(unroll::${name} PROPERTIES
    IMPORTED_LOCATION ${UNROLL_${name}_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${UNROLL_${name}_INCLUDE_DIR})
endfunction()

unroll_find_library(hwy hwy/highway.h libhwy-dev)
unroll_find_library(xxhash xxhash.h libxxhash-dev)
unroll_find_library(sentencepiece sentencepiece_processor.h libsentencepiece-dev)
unroll_find_library(sentencepiece_train sentencepiece_trainer.h libsentencepiece-dev)
find_package(ICU REQUIRED COMPONENTS uc)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(Threads REQUIRED)
