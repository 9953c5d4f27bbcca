# Two Debian packages by CPack: `cimstat` (program) and `libcimstat-dev` (development).
# `.ci/package` builds them as Debian does: flags of dpkg-buildflags, prefix /usr.
set(CIMSTAT_CONTACT "The cimstat developers <cimstat@example.org>" CACHE STRING
    "Maintainer of the Debian packages, as Name <address>")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME cimstat)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT ${CIMSTAT_CONTACT})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL program development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own, its description's first line
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
# The copyright and changelog of each package, in the form that Debian's policy asks for.
set(CIMSTAT_DEBIAN_FILES ${CMAKE_CURRENT_LIST_DIR}/debian)
configure_file(${CMAKE_CURRENT_LIST_DIR}/debian/changelog.in ${PROJECT_BINARY_DIR}/debian/changelog)
configure_file(${CMAKE_CURRENT_LIST_DIR}/debian/complete.cmake.in
               ${PROJECT_BINARY_DIR}/debian/complete.cmake @ONLY)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_BINARY_DIR}/debian/complete.cmake)

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME cimstat)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS dataset-fashion-mnist)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS "python3-h5py, python3-xarray, python3-h5netcdf")
set(CPACK_DEBIAN_PROGRAM_DESCRIPTION
"read margins and error tables of analog compute-in-memory macros
cimstat is a Monte Carlo device-and-circuit statistics engine for analog
compute-in-memory. Memory cells, column circuit and converter are described
in one file; the program computes the read margin of each MAC value, the
probability of each converter code with intervals or error bounds, and the
accuracy of a quantised neural network whose partial sums are read through
such a column. Results are HDF5 files and one HTML page.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libcimstat-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libtbb-dev, libhdf5-dev, libhwy-dev (>= 1.0.3), \
libtomlplusplus-dev, nlohmann-json3-dev (>= 3.11), libfmt-dev, libssl-dev, zlib1g-dev")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS cimstat)
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION
"statistics of analog compute-in-memory macros (development files)
cimstat is a Monte Carlo device-and-circuit statistics engine for analog
compute-in-memory.

This package holds the static libraries, headers and CMake package of its
rooms: core, devices, circuits and experiments.")
include(CPack)
