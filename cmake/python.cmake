# The Python extension dynet._dynet, its type stub, and, for gradient checks, dynet._dynet_double.
find_package(Python 3.10 REQUIRED COMPONENTS Interpreter Development.Module ${SKBUILD_SABI_COMPONENT})
execute_process(COMMAND ${Python_EXECUTABLE} -m nanobind --cmake_dir
                OUTPUT_VARIABLE nanobind_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
find_package(nanobind CONFIG REQUIRED)

file(GLOB PYTHON_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/python/src/*.cc)
# What need not be fast: none of it is called once for each node. That of doubles has no optimization at all, which a
# precompiled header must share.
compile_as_one(python_rest PYTHON_SOURCES
               "/(collection|describe|docstring|initializers|inspection|model_files|module|nodes|pair|pickling|softmax|trainers).cc$"
               $<$<STREQUAL:$<TARGET_PROPERTY:NAME>,_dynet>:-O1>)
set(staged ${PROJECT_BINARY_DIR}/stage/dynet)
file(WRITE ${staged}/__init__.py "")  # The stub generator imports this package, and not one that is installed.

function(dynet_extension name library)
  nanobind_add_module(${name} NB_STATIC STABLE_ABI NOMINSIZE NB_DOMAIN ${name} ${PYTHON_SOURCES})
  target_link_libraries(${name} PRIVATE ${library})
  target_compile_definitions(${name} PRIVATE DYNET_MODULE=${name})
  # g++ 12 wrongly takes an empty std::optional in nanobind's argument tuples for one that is read.
  target_compile_options(${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  precompile(${name} "${PROJECT_SOURCE_DIR}/python/src/casters.h")
  set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${staged})
  install(TARGETS ${name} LIBRARY DESTINATION dynet)
endfunction()

dynet_extension(_dynet dynet_core)
foreach(name nanobind-static nanobind-static-abi3)
  if(DYNET_UNITY AND TARGET ${name})
    set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 0)
  endif()
endforeach()
if(NOT DYNET_SANITIZE)  # The generator would have to load the sanitizer before Python.
  nanobind_add_stub(_dynet_stub MODULE dynet._dynet OUTPUT ${staged}/_dynet.pyi
                    PATTERN_FILE ${PROJECT_SOURCE_DIR}/cmake/stub_patterns.txt INCLUDE_PRIVATE
                    PYTHON_PATH ${PROJECT_BINARY_DIR}/stage DEPENDS _dynet)
  install(FILES ${staged}/_dynet.pyi DESTINATION dynet)
endif()
install(FILES python/dynet_config.py python/dynet_viz.py python/_dynet.py DESTINATION .)

if(DYNET_BUILD_DOUBLE)
  dynet_extension(_dynet_double dynet_core_double)
  target_compile_options(_dynet_double PRIVATE -O0)
  # Tests may choose memory that the host cannot touch.
  target_sources(_dynet_double PRIVATE tests/cpp/far_engine.cc tests/cpp/far_choice.cc)
endif()
