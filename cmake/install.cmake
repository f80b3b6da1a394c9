# Installs the library for C++ users: find_package(dynet) and link dynet::dynet.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

add_library(dynet::dynet ALIAS dynet_core)
set_target_properties(dynet_core PROPERTIES EXPORT_NAME dynet OUTPUT_NAME dynet)
target_include_directories(dynet_core PUBLIC $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(dynet_core PUBLIC cxx_std_20)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/dynet)
install(TARGETS dynet_core EXPORT dynet ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT dynet NAMESPACE dynet:: FILE dynetTargets.cmake DESTINATION ${package})
install(DIRECTORY dynet DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h" PATTERN cpu EXCLUDE)
configure_package_config_file(cmake/dynetConfig.cmake.in dynetConfig.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(dynetConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/dynetConfig.cmake ${PROJECT_BINARY_DIR}/dynetConfigVersion.cmake
        DESTINATION ${package})
