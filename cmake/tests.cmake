# Every tests/cpp/NAME_test.cc is a program that ctest runs; every tests/cpp/must_not_compile/*.cc must be refused.
file(GLOB CPP_TESTS CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/cpp/*_test.cc)
if(NOT DYNET_PLAIN_TOO)
  list(FILTER CPP_TESTS EXCLUDE REGEX "/plain_bits_test.cc$")
endif()
# small_program(NAME SOURCE...): a program that spends its time in the library.
function(small_program name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE dynet_core)
  # g++ has more fears of variables that are not set where it optimizes less.
  target_compile_options(${name} PRIVATE -O1 $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  precompile_as_first(${name} programs "${PROJECT_SOURCE_DIR}/dynet/dynet.h")
endfunction()

add_custom_target(cpp_tests)
foreach(source IN LISTS CPP_TESTS)
  cmake_path(GET source STEM name)
  small_program(${name} ${source})
  add_dependencies(cpp_tests ${name})
  add_test(NAME ${name} COMMAND ${name})
endforeach()
target_sources(far_memory_test PRIVATE tests/cpp/far_engine.cc)
target_link_libraries(far_memory_test PRIVATE benchmark_models)
if(DYNET_PLAIN_TOO)
  target_link_libraries(plain_bits_test PRIVATE benchmark_models)
endif()

# With -DMENDED each of them compiles: nothing else is wrong with it.
file(GLOB REFUSED CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/cpp/must_not_compile/*.cc)
if(DYNET_SANITIZE)
  set(REFUSED "")  # Sanitizers change nothing in what a compiler refuses.
endif()
foreach(source IN LISTS REFUSED)
  cmake_path(GET source STEM name)
  file(STRINGS ${source} reason REGEX "^// The error must say: .")
  string(REPLACE "// The error must say: " "" reason "${reason}")
  if(reason STREQUAL "")
    message(FATAL_ERROR "${source} has no line \"// The error must say: ...\".")
  endif()
  set(compile ${CMAKE_CXX_COMPILER} -std=c++20 -fsyntax-only -I${PROJECT_SOURCE_DIR} ${source})
  add_test(NAME must_not_compile/${name} COMMAND ${compile})
  # What comes before "error:" is the name of the file, which may hold the words that are looked for.
  set_tests_properties(must_not_compile/${name} PROPERTIES
                       PASS_REGULAR_EXPRESSION "(error|note): [^\n]*(${reason})")
  add_test(NAME must_not_compile/${name}_mended COMMAND ${compile} -DMENDED)
endforeach()

# dynet_program(NAME SOURCE...): a program as a user would write it, in the folder programs of the build.
function(dynet_program name)
  small_program(${name} ${ARGN})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/programs)
endfunction()

# Programs in the manner of DyNet 2's examples end with status 0 if they have learned what they should.
file(GLOB PROGRAMS CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/cpp/programs/*/train.cc)
foreach(source IN LISTS PROGRAMS)
  cmake_path(GET source PARENT_PATH folder)
  cmake_path(GET folder STEM name)
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cc)
  dynet_program(learn_${name} ${sources})
  add_test(NAME learn_${name} COMMAND learn_${name} --dynet-seed 1)
endforeach()

# The examples; those that need no data are tests as well.
file(GLOB EXAMPLES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/cpp/*.cc)
foreach(source IN LISTS EXAMPLES ITEMS tests/cpp/programs/parity.cc tests/cpp/programs/mistakes.cc)
  cmake_path(GET source STEM name)
  dynet_program(${name} ${source})
  if(name MATCHES "^(xor|own_operation)$")
    add_test(NAME example_${name} COMMAND ${name} --dynet-seed 1)
  elseif(DYNET_SANITIZE OR NOT DYNET_BUILD_PYTHON)
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL TRUE)  # tests/examples/test_cpp.py runs it.
  endif()
endforeach()

# Training by MPI gives the same bits for any number of processes.
if(TARGET dynet::mpi)
  add_executable(mpi_law tests/cpp/mpi/law.cc)
  target_link_libraries(mpi_law PRIVATE dynet::mpi)
  add_test(NAME mpi_law COMMAND ${CMAKE_COMMAND} -DMPIEXEC=${MPIEXEC_EXECUTABLE} -DPROGRAM=$<TARGET_FILE:mpi_law>
                                -P ${PROJECT_SOURCE_DIR}/tests/cpp/mpi/law.cmake)
endif()
