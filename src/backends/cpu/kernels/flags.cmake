# Flags of the files that are compiled for one vector level (source paths from the project's root). Optimised in every
# build type: a debug build of these loops is too slow to test with. Contraction joins a product and a sum into one
# rounding; nothing else of fast-math is allowed. -Wno-psabi: vectors are passed only between inlined functions.
set(kernel_flags -O3 -ffp-contract=fast -fno-math-errno -fno-trapping-math -Wno-psabi)
set(kernel_folder ${CMAKE_CURRENT_SOURCE_DIR}/src/backends/cpu/kernels)
set_source_files_properties(${kernel_folder}/level_portable.cpp ${kernel_folder}/level_neon.cpp
                            PROPERTIES COMPILE_OPTIONS "${kernel_flags}")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set_source_files_properties(${kernel_folder}/level_avx2.cpp
                              PROPERTIES COMPILE_OPTIONS "${kernel_flags};-mavx2;-mfma;-mf16c")
  # GCC 12's own header for AVX-512 trips over its warnings.
  set(avx512_flags ${kernel_flags} -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512dq -mavx512vl
                   -mprefer-vector-width=512 -Wno-uninitialized
                   $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  # All levels are one source: sanitizers watch it at the lowest, at AVX2 and at the two highest. Elsewhere it would only
  # take long to compile.
  set(unwatched_flags ${avx512_flags})
  if(ACCELERATE_SANITIZE)
    list(APPEND unwatched_flags -fno-sanitize=all)
  endif()
  set_source_files_properties(${kernel_folder}/level_avx512.cpp PROPERTIES COMPILE_OPTIONS "${unwatched_flags}")
  set_source_files_properties(${kernel_folder}/level_avx512_vnni.cpp
                              PROPERTIES COMPILE_OPTIONS "${unwatched_flags};-mavx512vnni")
  set_source_files_properties(${kernel_folder}/level_avx512_bf16.cpp
                              PROPERTIES COMPILE_OPTIONS "${avx512_flags};-mavx512vnni;-mavx512bf16")
  set_source_files_properties(
    ${kernel_folder}/level_amx.cpp
    PROPERTIES COMPILE_OPTIONS "${avx512_flags};-mavx512vnni;-mavx512bf16;-mamx-tile;-mamx-int8;-mamx-bf16")
endif()
# Precompiled headers are compiled for no level.
file(GLOB kernel_files ${kernel_folder}/level_*.cpp)
set_source_files_properties(${kernel_files} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
