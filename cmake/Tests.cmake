# How tests are made: one GoogleTest program a layer, one ctest entry a suite.

if(ACCELERATE_TESTS)
  enable_testing()
endif()

# accelerate_layer_tests(NAME <layers it uses>): the program test_NAME of tests/NAME/*_test.cpp, where there are any.
function(accelerate_layer_tests name)
  file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/tests/${name}/*.cpp)
  if(NOT ACCELERATE_TESTS OR NOT tests)
    return()
  endif()
  set(target test_${name})
  add_executable(${target} ${tests})
  target_link_libraries(${target} PRIVATE accelerate_test_flags accelerate_version_of_tests)
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/tests)
  target_compile_definitions(${target} PRIVATE ACCELERATE_TESTS_DIR="${CMAKE_CURRENT_SOURCE_DIR}/tests")
  accelerate_precompile(${target} tests)
  # Sums in f64 over thousands of sizes, which kernels are compared with: without optimisation they take minutes.
  file(GLOB sums ${CMAKE_CURRENT_SOURCE_DIR}/tests/${name}/kernels_*_test.cpp)
  set_source_files_properties(${sums} PROPERTIES COMPILE_OPTIONS -O2 SKIP_PRECOMPILE_HEADERS ON)
  accelerate_link_layers(${target} ${name} ${ARGN})
  accelerate_discover_suites(${target} ${name})
endfunction()

# accelerate_fake_library(NAME SOURCE): a library that tests open in the place of a real one.
function(accelerate_fake_library name source)
  add_library(${name} MODULE ${source})
  target_link_libraries(${name} PRIVATE accelerate_flags)
  # Its functions carry no types that a sanitizer could compare with those of their callers.
  if(ACCELERATE_SANITIZE)
    set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS -fno-sanitize=function)
  endif()
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
