# Two components: "headers", the library itself, and "compiled", which is left out where contracts
# throw or a sanitizer is on, because such a library fits no other program.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/eigenformer")

install(TARGETS eigenformer EXPORT eigenformer-targets
        FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT headers)
install(EXPORT eigenformer-targets NAMESPACE eigenformer:: DESTINATION "${package_dir}"
        COMPONENT headers)

configure_package_config_file(cmake/eigenformer-config.cmake.in eigenformer-config.cmake
                              INSTALL_DESTINATION "${package_dir}")
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(eigenformer-config-version.cmake
                                 COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/eigenformer-config.cmake"
              "${PROJECT_BINARY_DIR}/eigenformer-config-version.cmake"
        DESTINATION "${package_dir}" COMPONENT headers)
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT headers)

set(EIGENFORMER_COMPILED_INSTALLS OFF)
if(TARGET eigenformer_compiled AND NOT EIGENFORMER_CONTRACTS_THROW AND NOT EIGENFORMER_SANITIZE)
  set(EIGENFORMER_COMPILED_INSTALLS ON)
  install(TARGETS eigenformer_compiled EXPORT eigenformer-compiled-targets
          ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT compiled)
  install(EXPORT eigenformer-compiled-targets NAMESPACE eigenformer::
          DESTINATION "${package_dir}" COMPONENT compiled)
endif()
