# What `cmake --install` puts where, in two components: `program` (command, data, documents) and
# `development` (libraries, headers, CMake package). Nothing installed holds an absolute path.
include(CMakePackageConfigHelpers)
set(cimstat_package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/cimstat)
set(cimstat_document_folder ${CMAKE_INSTALL_DATADIR}/doc/cimstat)

install(TARGETS cimstat RUNTIME COMPONENT program)
if(TARGET cimstat-mpi)
  install(TARGETS cimstat-mpi RUNTIME COMPONENT program)
endif()
install(DIRECTORY experiments/networks experiments/configs
        DESTINATION ${CMAKE_INSTALL_DATADIR}/cimstat COMPONENT program)
install(FILES README.md CHANGELOG.md CITATION.cff LICENSE
        DESTINATION ${cimstat_document_folder} COMPONENT program)
install(FILES experiments/README.md DESTINATION ${cimstat_document_folder}/experiments
        COMPONENT program)
install(DIRECTORY experiments/formats experiments/docs
        DESTINATION ${cimstat_document_folder}/experiments COMPONENT program)

if(TARGET cimstat_pages)
  # Debian's zsh looks in other folders than that of what is installed by hand.
  set(cimstat_zsh_folder site-functions)
  if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
    set(cimstat_zsh_folder vendor-completions)
  endif()
  install(FILES ${PROJECT_BINARY_DIR}/man/cimstat.1
          DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program)
  install(FILES ${PROJECT_BINARY_DIR}/completion/cimstat
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT program)
  install(FILES ${PROJECT_BINARY_DIR}/completion/_cimstat
          DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/${cimstat_zsh_folder} COMPONENT program)
  install(FILES ${PROJECT_BINARY_DIR}/completion/cimstat.fish
          DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT program)
endif()

# Headers lie under include/cimstat and are included as in the source tree: "circuits/column.h".
install(TARGETS cimstat_core cimstat_devices cimstat_circuits cimstat_experiments
  EXPORT cimstat_targets
  ARCHIVE COMPONENT development
  FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/cimstat COMPONENT development)
install(EXPORT cimstat_targets FILE cimstatTargets.cmake NAMESPACE cimstat::
        DESTINATION ${cimstat_package_folder} COMPONENT development)

# Semantic versioning: while the major version is 0, each minor version may break its users.
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(cimstat_compatibility SameMinorVersion)
else()
  set(cimstat_compatibility SameMajorVersion)
endif()
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cimstatConfigVersion.cmake
  VERSION ${PROJECT_VERSION} COMPATIBILITY ${cimstat_compatibility})
configure_package_config_file(.packaging/cimstatConfig.cmake.in
  ${PROJECT_BINARY_DIR}/cimstatConfig.cmake INSTALL_DESTINATION ${cimstat_package_folder})
install(FILES ${PROJECT_BINARY_DIR}/cimstatConfig.cmake ${PROJECT_BINARY_DIR}/cimstatConfigVersion.cmake
        DESTINATION ${cimstat_package_folder} COMPONENT development)

include(${CMAKE_CURRENT_LIST_DIR}/debian.cmake)
