# Lets one source file know the versions of unroll and of the libraries that do not tell theirs at run time.
function(unroll_version_definitions source)
  file(STRINGS ${UNROLL_xxhash_INCLUDE_DIR}/xxhash.h parts REGEX "#define XXH_VERSION_(MAJOR|MINOR|RELEASE) +[0-9]+")
  list(TRANSFORM parts REPLACE ".* ([0-9]+).*" "\\1")
  list(JOIN parts "." xxhash_version)
  set_source_files_properties(${source} PROPERTIES COMPILE_DEFINITIONS
    "UNROLL_VERSION=\"${PROJECT_VERSION}\";UNROLL_ICU_VERSION=\"${ICU_VERSION}\";\
UNROLL_ZLIB_VERSION=\"${ZLIB_VERSION_STRING}\";UNROLL_XXHASH_VERSION=\"${xxhash_version}\";\
UNROLL_JSON_VERSION=\"${nlohmann_json_VERSION}\";UNROLL_FMT_VERSION=\"${fmt_VERSION}\"")
endfunction()
