# Finds a C++20 compiler, says in one sentence what is wrong with an unfit one, and sets the flags of every target.
include(CheckLanguage)
check_language(CXX)
if(NOT CMAKE_CXX_COMPILER)
  message(FATAL_ERROR "DyNet needs a C++20 compiler, and none was found: install g++ 12 or clang 15, or newer.")
endif()
enable_language(CXX)

set(oldest_GNU 12)
set(oldest_Clang 15)
set(oldest_AppleClang 15)
if(NOT DEFINED oldest_${CMAKE_CXX_COMPILER_ID})
  message(WARNING "DyNet is tested with g++ and clang; ${CMAKE_CXX_COMPILER_ID} may or may not work.")
elseif(CMAKE_CXX_COMPILER_VERSION VERSION_LESS oldest_${CMAKE_CXX_COMPILER_ID})
  message(FATAL_ERROR "DyNet needs a C++20 compiler: ${CMAKE_CXX_COMPILER} has version ${CMAKE_CXX_COMPILER_VERSION}; "
                      "install g++ 12 or clang 15, or newer.")
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

# Most of the time goes into headers, so that they are read once, and the small sources of a folder are compiled as one.
# With ccache each source is compiled by itself, which shows whether it includes what it uses.
if(CMAKE_CXX_COMPILER_LAUNCHER)
  set(DYNET_UNITY_DEFAULT OFF)
else()
  set(DYNET_UNITY_DEFAULT ON)
endif()
option(DYNET_UNITY "Precompile headers and compile the small sources of a folder as one" ${DYNET_UNITY_DEFAULT})

find_package(Threads REQUIRED)

# Every result must be the same bits in every batch and on every instruction set, so nothing may be fused or reordered.
add_library(dynet_flags INTERFACE)
target_include_directories(dynet_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(dynet_flags INTERFACE DYNET_VERSION="${DYNET_VERSION}")
target_compile_options(dynet_flags INTERFACE -Wall -Wextra -fno-math-errno -ffp-contract=off
                                             $<$<BOOL:${DYNET_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(dynet_flags INTERFACE -Wno-restrict)  # It wrongly warns where strings are added up.
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND DYNET_UNITY)  # So it does, with other words, after a precompiled header.
  target_compile_options(dynet_flags INTERFACE -Wno-stringop-overflow -Wno-array-bounds)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(dynet_flags INTERFACE -Wno-deprecated-declarations)  # libstdc++'s own, in stable_sort
endif()
if(DYNET_ONE_ISA)
  target_compile_definitions(dynet_flags INTERFACE DYNET_ONE_ISA)
endif()
if(DYNET_SANITIZE)
  target_compile_options(dynet_flags INTERFACE -fsanitize=${DYNET_SANITIZE} -fno-sanitize-recover=all
                                               -fno-omit-frame-pointer -g1 -O1)
  target_link_options(dynet_flags INTERFACE -fsanitize=${DYNET_SANITIZE})
endif()

# compile_as_one(NAME LIST PATTERN): one source in place of those of the list that match. Names in their unnamed namespaces
# must differ.
function(compile_as_one name list pattern)
  set(sources ${${list}})
  list(FILTER sources INCLUDE REGEX ${pattern})
  if(NOT DYNET_UNITY OR NOT sources)
    return()
  endif()
  list(TRANSFORM sources REPLACE "(.+)" "#include \"\\1\"" OUTPUT_VARIABLE lines)
  list(JOIN lines "\n" lines)
  set(one ${PROJECT_BINARY_DIR}/unity/${name}.cc)
  file(CONFIGURE OUTPUT ${one} CONTENT "${lines}\n" @ONLY)
  # g++ takes a file that is included for a header, whose types others might see.
  set_source_files_properties(${one} PROPERTIES COMPILE_OPTIONS
                              "$<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>;${ARGN}")
  list(REMOVE_ITEM ${list} ${sources})
  list(APPEND ${list} ${one})
  set(${list} ${${list}} PARENT_SCOPE)
endfunction()

# precompile(NAME HEADER...): what most sources of the target begin with is read once for all of them.
function(precompile name)
  if(DYNET_UNITY)
    target_precompile_headers(${name} PRIVATE ${ARGN})
  endif()
endfunction()

# precompile_as_first(NAME GROUP HEADER): the same, once for all targets of a group, which are compiled alike.
function(precompile_as_first name group header)
  get_property(first GLOBAL PROPERTY dynet_first_${group})
  if(NOT DYNET_UNITY)
    return()
  elseif(first)
    target_precompile_headers(${name} REUSE_FROM ${first})
  else()
    target_precompile_headers(${name} PRIVATE ${header})
    set_property(GLOBAL PROPERTY dynet_first_${group} ${name})
  endif()
endfunction()
