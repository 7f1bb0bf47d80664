# What a build says about itself: include/accelerate/version.hpp, answered by one generated file.
#
# Programs and the library carry the commit they were built from, asked for at every build; test programs do not, so
# that a commit does not link them all again.

set(accelerate_version_template ${CMAKE_CURRENT_SOURCE_DIR}/cmake/version.cpp.in)
set(accelerate_version_compiler "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}, ${CMAKE_BUILD_TYPE}")
if(ACCELERATE_SANITIZE)
  string(APPEND accelerate_version_compiler ", sanitize ${ACCELERATE_SANITIZE}")
endif()

set(generated ${CMAKE_CURRENT_BINARY_DIR}/generated)
add_custom_target(
  accelerate_write_version
  COMMAND ${CMAKE_COMMAND} -D TEMPLATE=${accelerate_version_template} -D OUTPUT=${generated}/version.cpp -D
          SOURCE=${CMAKE_CURRENT_SOURCE_DIR} -D VERSION=${PROJECT_VERSION} -D "COMPILER=${accelerate_version_compiler}"
          -P ${CMAKE_CURRENT_SOURCE_DIR}/cmake/WriteVersion.cmake
  BYPRODUCTS ${generated}/version.cpp
  COMMENT "" VERBATIM)
add_library(accelerate_version OBJECT ${generated}/version.cpp)
add_dependencies(accelerate_version accelerate_write_version)

function(accelerate_write_version_of_tests output)
  set(VERSION ${PROJECT_VERSION})
  set(REVISION "test build")
  set(COMPILER ${accelerate_version_compiler})
  configure_file(${accelerate_version_template} ${output} @ONLY)
endfunction()
accelerate_write_version_of_tests(${generated}/version_of_tests.cpp)
add_library(accelerate_version_of_tests OBJECT ${generated}/version_of_tests.cpp)

foreach(target accelerate_version accelerate_version_of_tests)
  target_link_libraries(${target} PRIVATE accelerate_flags)
endforeach()
