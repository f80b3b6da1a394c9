# Installs the library for C++ users, into a prefix or into the Python package: headers, archive, CMake, pkg-config.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

if(DYNET_BUILD_PYTHON)
  set(include_dir dynet/include)  # `python -m dynet --cmake-dir` tells where the package is.
  set(library_dir dynet/lib)
else()
  set(include_dir ${CMAKE_INSTALL_INCLUDEDIR})
  set(library_dir ${CMAKE_INSTALL_LIBDIR})
endif()
set(package_dir ${library_dir}/cmake/dynet)

add_library(dynet::dynet ALIAS dynet_core)
set_target_properties(dynet_core PROPERTIES EXPORT_NAME dynet OUTPUT_NAME dynet)
target_include_directories(dynet_core PUBLIC $<INSTALL_INTERFACE:${include_dir}>)
target_compile_features(dynet_core PUBLIC cxx_std_20)

install(TARGETS dynet_core EXPORT dynet ARCHIVE DESTINATION ${library_dir})
install(EXPORT dynet NAMESPACE dynet:: FILE dynetTargets.cmake DESTINATION ${package_dir})
install(DIRECTORY dynet ${DYNET2_FOLDER}/dynet DESTINATION ${include_dir} FILES_MATCHING PATTERN "*.h" PATTERN cpu EXCLUDE)

install(FILES cmake/dynetMPI.cmake DESTINATION ${package_dir})
configure_package_config_file(cmake/dynetConfig.cmake.in dynetConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(dynetConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/dynetConfig.cmake ${PROJECT_BINARY_DIR}/dynetConfigVersion.cmake
        DESTINATION ${package_dir})

# The paths in dynet.pc count from its own folder, so that the package may be moved.
cmake_path(RELATIVE_PATH include_dir BASE_DIRECTORY ${library_dir}/pkgconfig OUTPUT_VARIABLE include_from_pkgconfig)
configure_file(cmake/dynet.pc.in dynet.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/dynet.pc DESTINATION ${library_dir}/pkgconfig)
