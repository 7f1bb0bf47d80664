# Runtimes that behave as they are told, for the tests of what no machine here has: an ONNX Runtime with every provider,
# an OpenVINO that is too old.
foreach(fake fake_onnxruntime old_openvino)
  accelerate_fake_library(${fake} ${CMAKE_CURRENT_LIST_DIR}/fake/${fake}.cpp)
endforeach()
foreach(test test_backends test_cli)
  if(TARGET ${test})
    add_dependencies(${test} fake_onnxruntime old_openvino)
    target_compile_definitions(${test} PRIVATE FAKE_ONNXRUNTIME_LIBRARY="$<TARGET_FILE:fake_onnxruntime>"
                                               OLD_OPENVINO_LIBRARY="$<TARGET_FILE:old_openvino>")
  endif()
endforeach()
