# A driver library that behaves as it is told, and one that has none of a driver's functions: for the tests of probes.
foreach(fake fake_driver empty_driver)
  accelerate_fake_library(${fake} ${CMAKE_CURRENT_LIST_DIR}/fake/${fake}.cpp)
endforeach()
foreach(test test_hardware test_report test_runtime test_cli)
  if(TARGET ${test})
    add_dependencies(${test} fake_driver empty_driver accelerate_probe)
    target_compile_definitions(${test} PRIVATE FAKE_DRIVER="$<TARGET_FILE:fake_driver>"
                                               EMPTY_DRIVER="$<TARGET_FILE:empty_driver>")
  endif()
endforeach()
