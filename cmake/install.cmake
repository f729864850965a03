# What `cmake --install` puts where: the program, the library, its headers, and what find_package(unroll) reads.
include(CMakePackageConfigHelpers)

set(unroll_config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/unroll)
install(TARGETS unroll EXPORT unrollTargets)
install(TARGETS ${unroll_programs})
install(DIRECTORY include/unroll DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)
install(EXPORT unrollTargets NAMESPACE unroll:: DESTINATION ${unroll_config_dir})

configure_package_config_file(cmake/unrollConfig.cmake.in ${PROJECT_BINARY_DIR}/unrollConfig.cmake
  INSTALL_DESTINATION ${unroll_config_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/unrollConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/unrollConfig.cmake ${PROJECT_BINARY_DIR}/unrollConfigVersion.cmake
              ${PROJECT_SOURCE_DIR}/cmake/unrollDependencies.cmake
        DESTINATION ${unroll_config_dir})
