# How tests are made: one GoogleTest program a layer, one ctest entry a suite.

if(ACCELERATE_TESTS)
  enable_testing()
  find_package(GTest REQUIRED)
endif()

# accelerate_layer_tests(NAME <layers it uses>): the program test_NAME of tests/NAME/*_test.cpp, where there are any.
function(accelerate_layer_tests name)
  file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/tests/${name}/*.cpp)
  if(NOT ACCELERATE_TESTS OR NOT tests)
    return()
  endif()
  set(target test_${name})
  add_executable(${target} ${tests})
  target_link_libraries(${target} PRIVATE accelerate_flags accelerate_version_of_tests GTest::gtest_main)
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/tests)
  target_compile_definitions(${target} PRIVATE ACCELERATE_TESTS_DIR="${CMAKE_CURRENT_SOURCE_DIR}/tests")
  # GoogleTest's macros take long to optimise, and what is tested is optimised by itself: a third of the build's time.
  target_compile_options(${target} PRIVATE $<IF:$<CONFIG:Release>,-O1,-O0>)
  # The first test that is made compiles the header for all. gcc 12 forgets with it which headers are the system's, and
  # then warns about the standard library.
  target_compile_options(
    ${target} PRIVATE "$<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-array-bounds;-Wno-restrict;-Wno-stringop-overflow>")
  get_property(first GLOBAL PROPERTY ACCELERATE_TEST_HEADERS)
  if(first)
    target_precompile_headers(${target} REUSE_FROM ${first})
  else()
    target_precompile_headers(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/cmake/test_headers.hpp)
    set_property(GLOBAL PROPERTY ACCELERATE_TEST_HEADERS ${target})
  endif()
  accelerate_link_layers(${target} ${name} ${ARGN})
  accelerate_discover_suites(${target} ${name})
endfunction()

# accelerate_discover_suites(TARGET PREFIX): a ctest entry PREFIX.Suite for every suite the program lists once it is
# built. An entry a test costs a process each, which the parameterised goldens make thousands of.
function(accelerate_discover_suites target prefix)
  set(list ${CMAKE_CURRENT_BINARY_DIR}/${target}_suites.cmake)
  set(include ${CMAKE_CURRENT_BINARY_DIR}/${target}_include.cmake)
  add_custom_command(
    TARGET ${target}
    POST_BUILD
    COMMAND ${CMAKE_COMMAND} -D PROGRAM=$<TARGET_FILE:${target}> -D "EMULATOR=${CMAKE_CROSSCOMPILING_EMULATOR}" -D
            PREFIX=${prefix} -D OUTPUT=${list} -P ${CMAKE_SOURCE_DIR}/cmake/DiscoverSuites.cmake
    BYPRODUCTS ${list}
    VERBATIM)
  file(WRITE ${include} "if(EXISTS \"${list}\")\n  include(\"${list}\")\nelse()\n"
                        "  add_test(${prefix}.not_built \"${target}, which is not built\")\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${include})
endfunction()
