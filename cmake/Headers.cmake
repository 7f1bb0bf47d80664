# Precompiled headers: standard ones only, so that a change of ours never compiles everything anew. Files still include
# what they use: -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON shows that they do.

# ccache wants the compilers to say what a precompiled header was made of, and not when.
target_compile_options(accelerate_flags INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fpch-preprocess>
                                                  "$<$<COMPILE_LANG_AND_ID:CXX,Clang>:SHELL:-Xclang -fno-pch-timestamp>")

# For gcc a header must have been compiled with the macros of its users, and as code for the same kind of target: hence
# one compiled in a library and one in a program, with nothing else in them.
set(nothing ${CMAKE_CURRENT_BINARY_DIR}/generated/nothing.cpp)
file(CONFIGURE OUTPUT ${nothing} CONTENT "int main() { return 0; }\n")

add_library(accelerate_headers_of_layers OBJECT ${nothing})
target_link_libraries(accelerate_headers_of_layers PRIVATE accelerate_flags)
target_precompile_headers(accelerate_headers_of_layers PRIVATE ${CMAKE_SOURCE_DIR}/cmake/headers_of_layers.hpp)

if(ACCELERATE_TESTS)
  find_package(GTest REQUIRED)
  add_library(accelerate_test_flags INTERFACE)
  target_link_libraries(accelerate_test_flags INTERFACE accelerate_flags GTest::gtest_main)
  # GoogleTest's macros take long to optimise, and what is tested is optimised by itself: a third of the build's time.
  target_compile_options(accelerate_test_flags INTERFACE $<IF:$<CONFIG:Release>,-O1,-O0>)
  add_executable(accelerate_headers_of_tests ${nothing})
  target_link_libraries(accelerate_headers_of_tests PRIVATE accelerate_test_flags)
  target_precompile_headers(accelerate_headers_of_tests PRIVATE ${CMAKE_SOURCE_DIR}/cmake/headers_of_tests.hpp)
endif()

# accelerate_precompile(TARGET KIND): the headers of layers or tests come first in each file of the target.
function(accelerate_precompile target kind)
  target_precompile_headers(${target} REUSE_FROM accelerate_headers_of_${kind})
  # gcc 12 forgets which of them are the system's, and then warns about the standard library.
  target_compile_options(
    ${target} PRIVATE "$<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-array-bounds;-Wno-restrict;-Wno-stringop-overflow>"
                      "$<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-stringop-overread>")
endfunction()
