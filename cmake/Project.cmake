# How this project's code is compiled: language, flags, outside libraries, one object library a layer.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
# -g1 keeps names and lines for backtraces and profiles; `cmake --install --strip` drops them.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
# A build that a sanitizer watches needs names and lines, no more.
if(ACCELERATE_SANITIZE OR ACCELERATE_COVERAGE)
  set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1 -D_GLIBCXX_ASSERTIONS")
else()
  set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g -D_GLIBCXX_ASSERTIONS")
endif()

find_program(ACCELERATE_CCACHE ccache)
if(ACCELERATE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # It is told that files which use precompiled headers mention no __TIME__, or it would not keep them.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
                                  ${ACCELERATE_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${ACCELERATE_CCACHE})
endif()

# Every test program links all layers below its own: this linker takes half of the time (and warns of what clang's
# sanitizers export).
find_program(ACCELERATE_GOLD ld.gold)
if(ACCELERATE_GOLD AND NOT CMAKE_CROSSCOMPILING AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_link_options(-fuse-ld=gold)
endif()

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(nlohmann_json REQUIRED)
pkg_check_modules(SIMDJSON REQUIRED IMPORTED_TARGET simdjson)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3>=3.37)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto>=3.0)

add_library(accelerate_flags INTERFACE)
target_include_directories(accelerate_flags INTERFACE ${CMAKE_CURRENT_SOURCE_DIR}/include
                                                      ${CMAKE_CURRENT_SOURCE_DIR}/src)
target_compile_options(
  accelerate_flags INTERFACE -Wall -Wextra -Wshadow $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Wold-style-cast>
                             $<$<BOOL:${ACCELERATE_WERROR}>:-Werror>)
# Options are structs with designated initialisers: fields left out are meant to be.
target_compile_options(accelerate_flags INTERFACE -Wno-missing-field-initializers)
# gcc 12 sees std::variant's inactive members as used uninitialised; clang and the sanitizers find the real cases.
target_compile_options(accelerate_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
# a * b + c is rounded as written, by every compiler on every machine: what must equal another program bit by bit
# depends on it. Kernels ask for fused operations in their own flags.
target_compile_options(accelerate_flags INTERFACE -ffp-contract=off)

if(ACCELERATE_SANITIZE)
  target_compile_options(accelerate_flags INTERFACE -fsanitize=${ACCELERATE_SANITIZE} -fno-sanitize-recover=all
                                                    -fno-omit-frame-pointer)
  target_link_options(accelerate_flags INTERFACE -fsanitize=${ACCELERATE_SANITIZE})
endif()
if((ACCELERATE_FUZZ OR ACCELERATE_COVERAGE) AND NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "ACCELERATE_FUZZ and ACCELERATE_COVERAGE need clang, this is ${CMAKE_CXX_COMPILER_ID}: "
                      "see the presets 'sanitize' and 'coverage'")
endif()
if(ACCELERATE_FUZZ)
  target_compile_options(accelerate_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(ACCELERATE_COVERAGE)
  target_compile_options(accelerate_flags INTERFACE -fprofile-instr-generate -fcoverage-mapping)
  target_compile_definitions(accelerate_flags INTERFACE ACCELERATE_COVERAGE)
  target_link_options(accelerate_flags INTERFACE -fprofile-instr-generate)
endif()

include(Headers)

# accelerate_layer(NAME USES <layers> LINKS <libraries>)
#
# src/NAME/**.cpp becomes the object library accelerate_NAME, tests/NAME/*_test.cpp the program test_NAME. A layer
# without sources yet is there all the same, so that others can name it.
function(accelerate_layer name)
  cmake_parse_arguments(LAYER "" "" "USES;LINKS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/${name}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  set(target accelerate_${name})
  if(sources)
    add_library(${target} OBJECT ${sources})
    target_link_libraries(${target} PUBLIC accelerate_flags ${LAYER_LINKS})
    accelerate_precompile(${target} layers)
    # Names without linkage are therefore unique in a layer. Kernels, which have flags of their own, stay alone.
    set_target_properties(${target} PROPERTIES UNITY_BUILD ${ACCELERATE_UNITY} UNITY_BUILD_BATCH_SIZE 8)
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE accelerate_flags ${LAYER_LINKS})
  endif()
  set_property(GLOBAL APPEND PROPERTY ACCELERATE_LAYERS ${name})
  accelerate_layer_tests(${name} ${LAYER_USES})
endfunction()

# Object libraries hand on their objects only to direct users: link every layer by name.
function(accelerate_link_layers target)
  foreach(layer ${ARGN})
    target_link_libraries(${target} PRIVATE accelerate_${layer})
  endforeach()
endfunction()
