# Every tests/cpp/NAME_test.cc is a program that ctest runs; every tests/cpp/must_not_compile/*.cc must be refused.
file(GLOB CPP_TESTS CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/cpp/*_test.cc)
foreach(source IN LISTS CPP_TESTS)
  cmake_path(GET source STEM name)
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE dynet_core)
  add_test(NAME ${name} COMMAND ${name})
endforeach()

file(GLOB REFUSED CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/cpp/must_not_compile/*.cc)
foreach(source IN LISTS REFUSED)
  cmake_path(GET source STEM name)
  add_test(NAME must_not_compile/${name}
           COMMAND ${CMAKE_CXX_COMPILER} -std=c++20 -fsyntax-only -I${PROJECT_SOURCE_DIR} ${source})
  set_tests_properties(must_not_compile/${name} PROPERTIES WILL_FAIL TRUE)
endforeach()

# Every benchmarks/*.cc is a program that is built when its name is asked for.
file(GLOB BENCHMARKS CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/benchmarks/*.cc)
foreach(source IN LISTS BENCHMARKS)
  cmake_path(GET source STEM name)
  add_executable(${name} EXCLUDE_FROM_ALL ${source})
  target_link_libraries(${name} PRIVATE dynet_core ${CMAKE_DL_LIBS})
endforeach()
