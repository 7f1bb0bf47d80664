# What is built from the layers: the program, the shared library, and how both are installed.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
get_property(accelerate_layers GLOBAL PROPERTY ACCELERATE_LAYERS)

# Probes of devices run in a program of their own: it lies beside the others in the build, in libexec once installed
# (src/hardware/helper.hpp finds it).
add_executable(accelerate_probe src/hardware/main.cpp)
set_target_properties(accelerate_probe PROPERTIES OUTPUT_NAME ipfs-accelerate-probe)
target_link_libraries(accelerate_probe PRIVATE accelerate_flags accelerate_version)
accelerate_link_layers(accelerate_probe hardware backends lowering graph checkpoint core)
install(TARGETS accelerate_probe RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/ipfs-accelerate)

# The program holds the layers' objects itself: one file that starts fast and needs no library of ours beside it.
file(GLOB main CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/cli/main.cpp)
if(main)
  add_executable(accelerate_program ${main})
  set_target_properties(accelerate_program PROPERTIES OUTPUT_NAME ipfs-accelerate)
  target_link_libraries(accelerate_program PRIVATE accelerate_flags accelerate_version)
  accelerate_link_layers(accelerate_program ${accelerate_layers})
  add_dependencies(accelerate_program accelerate_probe)
  install(TARGETS accelerate_program RUNTIME)
endif()

# The library is everything below the command line.
if(ACCELERATE_SHARED)
  set(library_layers ${accelerate_layers})
  list(REMOVE_ITEM library_layers cli)
  add_library(ipfs_accelerate SHARED)
  add_library(ipfs_accelerate::ipfs_accelerate ALIAS ipfs_accelerate)
  target_link_libraries(ipfs_accelerate PRIVATE accelerate_flags accelerate_version)
  accelerate_link_layers(ipfs_accelerate ${library_layers})
  add_dependencies(ipfs_accelerate accelerate_probe)
  target_include_directories(ipfs_accelerate INTERFACE $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
                                                       $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(ipfs_accelerate INTERFACE cxx_std_20)
  # The map drops what inline code of the standard library would export besides ours.
  target_link_options(ipfs_accelerate PRIVATE -Wl,--version-script=${CMAKE_CURRENT_SOURCE_DIR}/cmake/exports.map)
  set_target_properties(
    ipfs_accelerate
    PROPERTIES VERSION ${PROJECT_VERSION}
               SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
               LINK_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/cmake/exports.map)

  set(package ${CMAKE_INSTALL_LIBDIR}/cmake/ipfs_accelerate)
  install(TARGETS ipfs_accelerate EXPORT ipfs_accelerate LIBRARY)
  install(DIRECTORY include/accelerate DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(EXPORT ipfs_accelerate NAMESPACE ipfs_accelerate:: DESTINATION ${package}
          FILE ipfs_accelerate-targets.cmake)
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/ipfs_accelerate-config.cmake
       "include(\${CMAKE_CURRENT_LIST_DIR}/ipfs_accelerate-targets.cmake)\n")
  write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/ipfs_accelerate-config-version.cmake
                                   COMPATIBILITY SameMinorVersion)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ipfs_accelerate-config.cmake
                ${CMAKE_CURRENT_BINARY_DIR}/ipfs_accelerate-config-version.cmake DESTINATION ${package})
  file(RELATIVE_PATH prefix_from_pkgconfig /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  configure_file(cmake/ipfs_accelerate.pc.in ipfs_accelerate.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ipfs_accelerate.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()

# Completions go where each shell looks for them by itself.
foreach(rule "bash|${CMAKE_INSTALL_DATADIR}/bash-completion/completions|ipfs-accelerate"
             "zsh|${CMAKE_INSTALL_DATADIR}/zsh/site-functions|_ipfs-accelerate"
             "fish|${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d|ipfs-accelerate.fish")
  string(REPLACE "|" ";" rule "${rule}")
  list(GET rule 0 shell)
  list(GET rule 1 folder)
  list(GET rule 2 name)
  set(file ${CMAKE_CURRENT_SOURCE_DIR}/completions/ipfs-accelerate.${shell})
  if(EXISTS ${file})
    install(FILES ${file} DESTINATION ${folder} RENAME ${name})
  endif()
endforeach()
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
